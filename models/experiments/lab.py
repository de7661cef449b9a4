"""What the experiments share: options, training, figures, the text."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent.parent
# So that a script which imports lab finds common, and what reads drawings.
sys.path.insert(0, str(PROJECT / "models" / "own_images"))
sys.path.insert(0, str(PROJECT))

import common

import argparse
import ast
import hashlib
import importlib
import inspect
import json
from dataclasses import dataclass

import joblib
import keras
import numpy as np
import scipy.stats
import sklearn
from sklearn.decomposition import PCA

# Changes of simple_autoencoder.py, for `run`: half of the input's pixels are left out.
ENCODED = "Dense(encoding_dim, activation='relu', activity_regularizer=regularizers.L1(args.l1))"
DROPOUT = [
    ("from keras.layers import Dense", "from keras.layers import Dense, Dropout"),
    (f"encoded = {ENCODED}(input_img)", f"encoded = {ENCODED}(Dropout(0.5)(input_img))"),
]


@dataclass
class Trained:
    """A network that was trained."""

    folder: Path  # of its files, for common.load_model
    history: dict  # "loss" and, if it was measured, "val_loss": a list, one value an epoch


@dataclass
class Figures:
    """How good codes are, on the test digits."""

    size: int  # numbers in a code
    cross_entropy: float
    mse: float
    accuracy: float  # 1-NN accuracy, in percent


def parse_options(question):
    """Return the values of the options that each experiment has, and what follows from them.

    `seeds`: those that networks are trained from; `pictures`: the folder for pictures.
    """
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--data", type=Path, default=common.MNIST, help="MNIST (%(default)s)")
    runs = PROJECT / "models" / "runs"
    parser.add_argument("--runs", type=Path, default=runs, help="networks (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write into README.md")
    parser.add_argument("--quick", action="store_true", help="a test: little is trained")
    args = parser.parse_args(common.command_line(FOLDER))
    keras.config.disable_interactive_logging()  # no bars
    args.seeds = [0] if args.quick else [0, 1, 2]
    args.pictures = FOLDER if args.write else args.runs / "pictures"
    args.pictures.mkdir(parents=True, exist_ok=True)
    return args


def build(args, script, changes=(), **options):
    """Run the cells of a script of the project up to 编译, as in Spyder; return its variables.

    `script`: simple, deep or conv. `options`: values of the script's options, such as l1=0.
    `changes`: pairs of a statement and the code in its place; white space, quotation marks and
    comments make no difference. Raises ValueError if the script has not the statement once.
    """
    keras.utils.clear_session()  # as in `set_seed`; the script sets the seed
    code = _code(script, ("准备", "加载数据", "建立网络", "编译"))
    for old, new in changes:
        old_code = ast.unparse(ast.parse(old))
        if code.count(old_code) != 1:
            raise ValueError(f"{script}: {code.count(old_code)} times, not once: {old}")
        code = code.replace(old_code, new)
    variables = {}
    before, start, after = code.partition("args = common.parse_options(")
    call, _, network_code = after.partition("\n")
    exec(before + start + call, variables)
    script_args = variables["args"]
    for option, value in options.items():
        assert hasattr(script_args, option), option
        setattr(script_args, option, value)
    script_args.data = args.data
    if args.quick:
        script_args.epochs = 1
    exec(network_code, variables)
    return variables


def run(args, script, changes=(), **options):
    """Train a network of one of the project's scripts, or find it again; return it.

    All is as `build` takes it.
    """
    variables = build(args, script, changes, **options)
    script_args = variables["args"]
    code = _code(script, ("训练", "保存"))
    network = (variables["autoencoder"], variables["encoder"], variables["decoder"])
    depends = [code, script_args.epochs, script_args.batch_size, variables["x_test"].tobytes()]
    folder = _folder(args, script, network, variables["x_train"], depends)

    def fit():
        script_args.models = folder
        exec(code, variables)
        history = variables["autoencoder"].history.history
        if len(history["loss"]) < script_args.epochs:
            raise KeyboardInterrupt  # Ctrl-C ended the training, which does not count then
        return history

    trained = _train_or_find(folder, fit)
    trained.folder = folder / script
    return trained


def set_seed(seed):
    """Set the seed before a network is built, and let its layers' names begin with number 1.

    What was trained is found again by these names, among others.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def speed_settings(model, epochs):
    """Return a dictionary of what `compile` takes to make a training faster."""
    jit_compile = common.choose_jit_compile(model, epochs)
    return {"steps_per_execution": 47, "jit_compile": jit_compile}


def train(args, name, network, x_train, epochs, batch_size, new_orders=True):
    """Train a compiled network of an experiment, or find it again; return it.

    `network`: its autoencoder, encoder and decoder. `new_orders`: each epoch has the images in
    another order. (Keras on TensorFlow repeats the first one, once a seed is set.)
    """
    autoencoder, encoder, decoder = network
    depends = [inspect.getsource(train), epochs, batch_size, new_orders]
    folder = _folder(args, name, network, x_train, depends)

    def fit():
        losses = []
        if new_orders:
            for _ in range(epochs):
                x = np.random.permutation(x_train)
                history = autoencoder.fit(x, x, batch_size, shuffle=False, verbose=0)
                losses += history.history["loss"]
        else:
            history = autoencoder.fit(x_train, x_train, batch_size, epochs, verbose=0)
            losses = history.history["loss"]
        folder.mkdir(parents=True, exist_ok=True)
        common.save_model(encoder, "encoder", folder)
        common.save_model(decoder, "decoder", folder)
        return {"loss": losses}

    return _train_or_find(folder, fit)


def _code(script, titles):
    """Return the code of a script's cells whose titles begin so, without its comments."""
    text = (PROJECT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
    cells = [f"# {cell}" for cell in text.split("# %% ")[1:] if cell.startswith(titles)]
    return ast.unparse(ast.parse("".join(cells)))


def versions():
    """Return the versions of the libraries that the figures depend on, as text."""
    backend = importlib.import_module(keras.config.backend())
    libraries = [keras, backend, np, sklearn]
    return " ".join(f"{library.__name__}-{library.__version__}" for library in libraries)


def _folder(args, name, network, x_train, depends):
    """Return the folder of a training; its name holds a number of all that this depends on."""
    configurations = [part.get_config() for part in network]
    configurations.append(network[0].get_compile_config())
    sha = hashlib.sha256(f"{configurations} {depends} {versions()}".encode())
    sha.update(x_train.tobytes())
    for array in network[0].get_weights():  # those before the training
        sha.update(array.tobytes())
    return args.runs.resolve() / f"{name}_{sha.hexdigest()[:16]}"


def _train_or_find(folder, fit):
    """Call `fit`, which trains and saves, if that was not done before; return what was trained."""
    file = folder / "history.json"
    if not file.exists():
        print(f"Training {folder.name}", flush=True)
        history = fit()
        unfinished = folder / "unfinished.json"
        unfinished.write_text(json.dumps({"history": history}))
        unfinished.replace(file)
    return Trained(folder, json.loads(file.read_text())["history"])


def measure(args, folder, digits):
    """Return the figures of the network whose two parts are in a folder."""
    (x_train, _), (x_test, _) = digits
    codes_test = encode(folder, x_test)
    return figures_of(args, encode(folder, x_train), codes_test, decode(folder, codes_test), digits)


def encode(folder, x):
    """Return the codes of images x, by the encoder in a folder."""
    encoder = common.load_model("encoder", folder)
    shape = (-1,) + encoder.input_shape[1:]  # (-1, 784), or (-1, 28, 28, 1) of conv
    return encoder.predict(x.reshape(shape), batch_size=1000, verbose=0)


def decode(folder, codes):
    """Return the images that the decoder in a folder makes of codes."""
    decoder = common.load_model("decoder", folder)
    return decoder.predict(codes, batch_size=1000, verbose=0)


def held_out_loss(folder, loss, x):
    """Return the mean loss of the network in a folder, on images x that it did not learn."""
    images = decode(folder, encode(folder, x)).reshape(x.shape)
    losses = keras.losses.get(loss)(x, images)
    return float(np.mean(losses))


def measure_pca(args, size, digits):
    """Return the figures of PCA with so many numbers."""
    (x_train, _), (x_test, _) = digits
    flat_train = x_train.reshape(len(x_train), 784)
    flat_test = x_test.reshape(len(x_test), 784)
    pca = PCA(size, svd_solver="covariance_eigh").fit(flat_train)
    codes_test = pca.transform(flat_test)
    images = pca.inverse_transform(codes_test)
    return figures_of(args, pca.transform(flat_train), codes_test, images, digits)


def figures_of(args, codes_train, codes_test, images, digits):
    """Return the figures of codes, and of the images that are decoded from codes_test."""
    (_, y_train), (x_test, y_test) = digits
    x_images = images.reshape(x_test.shape)
    mse = float(np.mean((x_test - x_images) ** 2))
    accuracy = remember(args, common.nearest_neighbour_accuracy)
    percent = 100 * accuracy(codes_train, y_train, codes_test, y_test)
    entropy = common.cross_entropy(x_test, x_images)
    return Figures(codes_test[0].size, entropy, mse, percent)


def remember(args, function):
    """Return a function that keeps on disk what `function` returned, for the same arguments."""
    folder = args.runs / versions().replace(" ", "_")
    return joblib.Memory(folder, verbose=0).cache(function)


def spread(values, decimals):
    """Return the mean as text, and the standard deviation if there are more values."""
    text = f"{np.mean(values):.{decimals}f}"
    if len(values) > 1:
        text += f" ± {np.std(values, ddof=1):.{decimals}f}"
    return text


def difference(values, others, decimals):
    """Return by how much values exceed others, pair by pair, as text with the spread.

    "No difference shown" means that 0 is in the 95 % confidence interval of the mean (by
    Student's t).
    """
    differences = np.subtract(values, others)
    n = len(differences)
    text = f"{np.mean(differences):+.{decimals}f}"
    if n == 1:
        return text
    deviation = np.std(differences, ddof=1)
    text += f" ± {deviation:.{decimals}f}"
    half = scipy.stats.t.ppf(0.975, n - 1) * deviation / np.sqrt(n)
    if abs(np.mean(differences)) <= half:
        text += " (no difference shown)"
    return text


def report(args, name, head, rows, sentences=""):
    """Print a table and sentences; with --write, put them between the name's marks in README.md."""
    lines = []
    for cells in [head, ["---"] * len(head)] + rows:
        lines.append("| " + " | ".join(cells) + " |")
    text = "\n".join(lines)
    if sentences:
        text += "\n\n" + sentences
    print(f"\n{text}\n")
    if args.write:
        readme = FOLDER / "README.md"
        content = readme.read_text(encoding="utf-8")
        before, mark, rest = content.partition(f"<!-- {name} -->")
        end = rest[rest.index("<!-- end -->") :]
        readme.write_text(f"{before}{mark}\n{text}\n{end}", encoding="utf-8")
