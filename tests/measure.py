"""Measure what models/examples/README.md reports, and draw the pictures beside it.

python tests/measure.py --data mnist.npz --runs runs

Every run is a script of the project, as a user would call it or with a line changed, but
for two networks that are built here. What is in the folder --runs is not run again, so
that a measurement which was stopped goes on. It takes one to two hours on two cores.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import common  # first: it keeps TensorFlow's start quiet

# isort: split
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Dense

import deep_autoencoder

EXAMPLES = ROOT / "models" / "examples"
SEEDS = (0, 1, 2)
# The rows of the results table: script, optimizer, epochs, seeds.
ROWS = [
    *(
        (script, optimizer, epochs, SEEDS)
        for script, epochs in (("simple", 50), ("deep", 50), ("conv", 1))
        for optimizer in ("adadelta", "adam")
    ),
    ("conv", "adam", 10, SEEDS),
    ("conv", "adadelta", 50, SEEDS[:1]),
    ("conv", "adam", 50, SEEDS[:1]),
]
SIZES = (2, 4, 8, 16, 32, 64, 128)  # of the code
times = {}  # seconds of each run
TABLE_ROW = re.compile(
    r"^(\w.*?) +(\d+) +([\d.]+)x +([\d.]+) +([\d.]+) +(-?[\d.]+) dB$", re.MULTILINE
)
# Lines of a script that a reader may change: the old text and the new.
MSE = ('loss="binary_crossentropy"', 'loss="mse"')
DROPOUT = [
    ("import Dense\n", "import Dense, Dropout\n"),
    (
        "regularizer=penalty)(input_img)",
        "regularizer=penalty)(Dropout(0.5)(input_img))",
    ),
]


def middle(size):
    """The change that gives the deep network another middle."""
    return ('Dense(32, activation="relu"', f'Dense({size}, activation="relu"')


class Run:
    """A run of a script, with some of its lines changed, and what it printed and left."""

    def __init__(self, args, script, *options, changes=(), name=None):
        name = "_".join([name or script, *options]).replace("--", "").replace(".", "")
        runs = args.runs.resolve()
        self.folder = runs / name / script
        output = runs / name / "output.txt"
        if not output.exists():
            print(f"running {name}", file=sys.stderr, flush=True)
            source = (ROOT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
            for old, new in changes:
                assert source.count(old) == 1, old
                source = source.replace(old, new)
            # As if the changed text stood in the project's folder.
            command = [
                sys.executable,
                "-c",
                "import sys; exec(sys.argv.pop(1))",
                source,
            ]
            command += [*options, "--models", self.folder.parent, "--no-show"]
            command += ["--data", args.data.resolve()]
            start = time.perf_counter()
            pipe = {"stdout": subprocess.PIPE, "encoding": "utf-8"}
            done = subprocess.run(command, **pipe, check=True, cwd=ROOT)
            seconds = time.perf_counter() - start
            output.write_text(f"{done.stdout}\n{seconds}\n", encoding="utf-8")
        self.output = output.read_text(encoding="utf-8")
        times[name] = float(self.output.split()[-1])
        # The first row is the network, the second is PCA.
        (_, code, _, *network), (_, _, _, *pca), *_ = TABLE_ROW.findall(self.output)
        self.code = int(code)
        self.cross_entropy, self.mse, self.psnr = map(float, network)
        self.pca_cross_entropy, self.pca_mse, self.pca_psnr = map(float, pca)
        (self.parameters,) = re.findall(r"Total params: ([\d,]+)", self.output)
        (floor,) = re.findall(r"^floor +([\d.]+)$", self.output, re.MULTILINE)
        self.floor = float(floor)

    def curve(self, which):
        return common.load(self.folder / "history.pkl")[which]

    def load(self, name):
        return common.load_model(name, self.folder)

    def decoded(self, digits):
        codes = self.load("encoder").predict(digits, verbose=0)
        return self.load("decoder").predict(codes, verbose=0)


def default_run(args, script, optimizer, epochs, seed):
    settings = ["--optimizer", optimizer, "--epochs", str(epochs), "--seed", str(seed)]
    return Run(args, script, *settings)


def single(args, size="16", l1="0", optimizer="adam"):
    """A run of the single layer over 50 epochs, with Adam and no penalty if not said."""
    options = ("--optimizer", optimizer, "--l1", l1, "--encoding-dim", str(size))
    return Run(args, "simple", *options)


class Tied(keras.layers.Layer):
    """A dense layer whose weights are those of another one, transposed."""

    def __init__(self, encoding):
        super().__init__()
        self.encoding = encoding
        self.bias = self.add_weight(shape=(784,), initializer="zeros")

    def call(self, codes):
        kernel = keras.ops.transpose(self.encoding.kernel)
        return keras.ops.sigmoid(codes @ kernel + self.bias)


def tied():
    """The single layer with tied weights, and no penalty.

    Returns the network, and the arguments for its `fit` and `compile`.
    """
    digits = keras.Input((784,))
    encoding = Dense(16, "relu")
    network = keras.Model(digits, Tied(encoding)(encoding(digits)))
    settings = {"optimizer": "adam", "loss": "binary_crossentropy"}
    return network, {"epochs": 50, "batch_size": 256}, settings


def network_of_2006():
    """The network of Hinton and Salakhutdinov, without their pre-training.

    Batches of 256 take more epochs to come as far.
    """
    digits = x = keras.Input((784,))
    for width in (1000, 500, 250):
        x = Dense(width, "gelu")(x)
    x = Dense(30)(x)
    for width in (250, 500, 1000):
        x = Dense(width, "gelu")(x)
    network = keras.Model(digits, Dense(784, "sigmoid")(x))
    steps = EPOCHS_2006 * 469  # of 128 digits each
    rate = keras.optimizers.schedules.CosineDecay(0.001, steps)
    settings = {"optimizer": keras.optimizers.Adam(rate), "loss": "mse"}
    return network, {"epochs": EPOCHS_2006, "batch_size": 128}, settings


EPOCHS_2006 = 50


def train(args, build, seed, x_train, x_test):
    """Train a network that no script has: `{"cross_entropy", "mse", "seconds"}`."""
    path = args.runs / f"{build.__name__}_seed_{seed}.json"
    if not path.exists():
        print(f"training {path.stem}", file=sys.stderr, flush=True)
        keras.utils.set_random_seed(seed)
        network, passes, settings = build()
        fast = common.speed_settings(network, passes["epochs"])
        network.compile(**settings, **fast)
        start = time.perf_counter()
        network.fit(x_train, x_train, **passes, verbose=0)
        seconds = time.perf_counter() - start
        images = network.predict(x_test, batch_size=1000, verbose=0)
        path.write_text(
            json.dumps(
                {
                    "cross_entropy": common.cross_entropy(x_test, images),
                    "mse": float(np.mean((x_test - images) ** 2)),
                    "seconds": seconds,
                }
            )
        )
    trained = argparse.Namespace(**json.loads(path.read_text()))
    times[path] = trained.seconds
    return trained


def spread(values, digits):
    values = list(values)
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text


def row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def head(*cells):
    return f"{row(*cells)}\n{'|---' * len(cells)}|"


def results(args):
    """The results table, as lines of Markdown."""
    yield head(
        *("network", "optimizer", "epochs", "seeds", "parameters"),
        *("cross-entropy", "MSE", "PSNR, dB", "squared error of a digit"),
    )
    pca = {}
    for script, optimizer, epochs, seeds in ROWS:
        runs = [default_run(args, script, optimizer, epochs, seed) for seed in seeds]
        pca[runs[0].code] = runs[0]
        yield network_row(f"{script}, code {runs[0].code}", optimizer, epochs, runs)
    dense = single(args, 128)
    yield network_row("a single layer, code 128, no penalty", "adam", 50, [dense])
    for size, run in pca.items():
        figures = f"{run.pca_cross_entropy:.4f}", f"{run.pca_mse:.5f}"
        figures += f"{run.pca_psnr:.2f}", f"{784 * run.pca_mse:.2f}"
        yield row(f"PCA, code {size}", *"––––", *figures)
    yield ""
    yield f"Floor of the cross-entropy on these test digits: {dense.floor:.4f}."
    yield ""


def network_row(label, optimizer, epochs, runs):
    return row(
        *(label, optimizer, epochs, len(runs), runs[0].parameters),
        spread((run.cross_entropy for run in runs), 4),
        spread((run.mse for run in runs), 5),
        spread((run.psnr for run in runs), 2),
        spread((784 * run.mse for run in runs), 2),
    )


def reference(args, x_train, x_test):
    """The network of 2006, beside what its paper reports."""
    runs = [train(args, network_of_2006, seed, x_train, x_test) for seed in SEEDS]
    pca, _ = common.pca(x_train, x_test, 30)
    yield head("30 numbers", "squared error of a digit", "minutes of training")
    yield row("784-1000-500-250-30, pre-trained (2006)", "3.00", "–")
    label = (
        f"784-1000-500-250-30, here: {EPOCHS_2006} epochs of Adam, {len(SEEDS)} seeds"
    )
    minutes = f"{statistics.mean(x.seconds for x in runs) / 60:.0f}"
    yield row(label, spread((784 * x.mse for x in runs), 2), minutes)
    yield row("logistic PCA (2006)", "8.01", "–")
    yield row("PCA (2006)", "13.87", "–")
    yield row("PCA, here", f"{784 * np.mean((x_test - pca) ** 2):.2f}", "–")
    yield ""


def code_sizes(args, x_train, x_test):
    """MSE against the size of the code, and the first digit of each; also as a picture."""
    kinds = {"single layer": [], "deep": [], "PCA": []}
    digit, images = x_test[:1], {}
    for size in SIZES:
        if size == 32:
            deep = default_run(args, "deep", "adam", 50, 0)
        else:
            options = {"changes": [middle(size)], "name": f"deep_{size}"}
            deep = Run(args, "deep", "--optimizer", "adam", **options)
        one = single(args, size)
        for kind, run in (("single layer", one), ("deep", deep)):
            kinds[kind].append(run.mse)
            images[kind, size] = run.decoded(digit)
        kinds["PCA"].append(one.pca_mse)
        images["PCA", size] = common.pca(x_train, digit, size)[0]

    figure = plt.figure(figsize=(8, 8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[4, 3])
    axes = above.subplots()
    for kind, errors in kinds.items():
        axes.loglog(SIZES, errors, "o-", label=kind)
    axes.set_xticks(SIZES, SIZES)
    ticks = (0.002, 0.005, 0.01, 0.02, 0.05)
    axes.set_yticks(ticks, ticks)
    axes.minorticks_off()
    axes.set(xlabel="numbers in the code", ylabel="mean squared error")
    axes.grid(alpha=0.3)
    axes.legend()
    cells = below.subplots(3, len(SIZES), subplot_kw={"xticks": [], "yticks": []})
    for line, kind in zip(cells, kinds, strict=True):
        line[0].set_ylabel(kind)
        for cell, size in zip(line, SIZES, strict=True):
            cell.imshow(images[kind, size].reshape(28, 28), cmap="gray", vmin=0, vmax=1)
    for cell, size in zip(cells[-1], SIZES, strict=True):
        cell.set_xlabel(size)
    figure.savefig(EXAMPLES / "code_size.png", dpi=120)

    yield head("MSE with a code of", *SIZES)
    for kind, errors in kinds.items():
        yield row(kind, *(f"{error:.5f}" for error in errors))
    yield ""


def losses(args):
    """Trained with either loss, measured by both."""
    yield head("50 epochs of Adam", "trained with", "cross-entropy", "MSE")
    for script in ("simple", "deep"):
        by_mse = Run(
            *(args, script, "--optimizer", "adam"), changes=[MSE], name=f"{script}_mse"
        )
        by_entropy = default_run(args, script, "adam", 50, 0)
        for label, run in (("cross-entropy", by_entropy), ("MSE", by_mse)):
            yield row(script, label, f"{run.cross_entropy:.4f}", f"{run.mse:.5f}")
    yield ""


def ties(args, x_train, x_test):
    """Tied weights beside weights of their own."""
    label = "single layer, 16 numbers, no penalty"
    yield head(label, "parameters", "cross-entropy", "MSE")
    both = [train(args, tied, seed, x_train, x_test) for seed in SEEDS]
    entropy, mse = spread((x.cross_entropy for x in both), 4), [x.mse for x in both]
    parameters = f"{tied()[0].count_params():,}"
    yield row(f"tied, {len(SEEDS)} seeds", parameters, entropy, spread(mse, 5))
    own = single(args)
    figures = f"{own.cross_entropy:.4f}", f"{own.mse:.5f}"
    yield row("untied", own.parameters, *figures)
    yield ""


def rates(args, x_test):
    """Adadelta at Keras's rate of today and at that of 2017; also as a picture."""
    pictures = {"original": x_test}
    yield head("epochs", "validation loss at 0.001", "at 1.0")
    epochs = ("1", "2", "5", "10", "50")
    table = {n: [] for n in epochs}
    for rate in ("0.001", "1.0"):
        for n in epochs:
            run = Run(args, "simple", "--learning-rate", rate, "--epochs", n)
            table[n].append(f"{run.curve('val_loss')[-1]:.4f}")
            pictures[f"{rate}, epoch {n}"] = run.decoded(x_test[:10])
    for n in epochs:
        yield row(n, *table[n])
    common.plot_rows(pictures, 10, EXAMPLES / "adadelta.png")
    yield ""


def experiments(args):
    """What the README proposes to try, with Adam over 50 epochs."""
    yield head("experiment", "cross-entropy", "MSE")
    adam = ("--optimizer", "adam")
    dropout = Run(args, "simple", *adam, changes=DROPOUT, name="simple_dropout")
    runs = {
        "simple": default_run(args, "simple", "adam", 50, 0),
        "`--encoding-dim 2`": Run(args, "simple", *adam, "--encoding-dim", "2"),
        "`--l1 0.001`": single(args, l1="0.001"),
        "`--encoding-dim 1000`": single(args, "1000", l1="0.0001"),
        "`Dropout(0.5)` on the input": dropout,
    }
    for label, run in runs.items():
        yield row(label, f"{run.cross_entropy:.4f}", f"{run.mse:.5f}")
    yield ""


def claims(args, x_train, x_test):
    """Tables that answer the post's claims, as lines of Markdown."""
    yield head(
        *("single layer", "optimizer", "MSE"),
        "angles to PCA's subspace: median, largest",
        "PCA's components that the code explains",
        *("mean of a code value", "zeros in the codes"),
    )
    settings = [("16", l1) for l1 in ("0", "0.0001", "0.001")] + [("1000", "0.0001")]
    _, components = common.pca(x_train, x_test, 16)
    for optimizer in ("adadelta", "adam"):
        for size, l1 in settings:
            run = single(args, size, l1, optimizer)
            code = run.load("encoder").predict(x_test, 1000, 0)
            angles = explained = "–"
            if size == "16":
                kernel = run.load("decoder").get_weights()[0]
                degrees = principal_angles(components, np.linalg.qr(kernel.T)[0].T)
                angles = f"{np.median(degrees):.0f}°, {degrees.max():.0f}°"
                explained = f"{explained_share(x_test @ components.T, code):.1%}"
            yield row(
                *(f"code {size}, penalty {l1}", optimizer),
                *(f"{run.mse:.5f}", angles, explained),
                *(f"{code.mean():.2f}", f"{np.mean(code == 0):.1%}"),
            )
    yield ""

    run = default_run(args, "deep", "adam", 50, 0)
    autoencoder = run.load("autoencoder")
    whole = autoencoder.predict(x_test, 1000, 0)
    halves = [deep_autoencoder.split(autoencoder, x) for x in deep_autoencoder.LAYERS]
    differences = [
        np.abs(decoder.predict(encoder.predict(x_test, 1000, 0), 1000, 0) - whole).max()
        for encoder, decoder in halves
    ]
    yield (
        "Largest difference between `decoder(encoder(x))` and `autoencoder(x)` over the "
        f"test set, at the five splits: {max(differences):g}."
    )
    yield ""


def principal_angles(a, b):
    """Angles in degrees between two subspaces, given by orthonormal rows."""
    cosines = np.linalg.svd(a @ b.T, compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines, 0, 1)))


def explained_share(scores, code):
    """How much of the variance of PCA's scores is a linear function of the code."""
    code = np.column_stack([code, np.ones(len(code))])
    left = scores - code @ np.linalg.lstsq(code, scores, rcond=None)[0]
    return 1 - left.var(axis=0).sum() / scores.var(axis=0).sum()


def pictures(args):
    """Draw the gallery's pictures again, and the curves of both optimizers in one."""
    more = {"simple": ["code"], "deep": ["walk"], "conv": ["layers", "model"]}
    for script, epochs, long in (("simple", 50, 50), ("deep", 50, 50), ("conv", 1, 50)):
        curves = {}
        for optimizer in ("adadelta", "adam"):
            for n in sorted({epochs, long}):
                run = default_run(args, script, optimizer, n, 0)
                command = [sys.executable, ROOT / f"{script}_autoencoder.py", "--load"]
                command += ["--data", args.data, "--models", run.folder.parent]
                subprocess.run([*command, "--no-show"], check=True, stdout=sys.stderr)
                shown = script != "conv" or (optimizer, n) == ("adam", 50)
                for picture in ("reconstructions", *(more[script] if shown else [])):
                    name = f"{script}_{picture}_{optimizer}_{n}.png"
                    shutil.copy(run.folder / f"{picture}.png", EXAMPLES / name)
            for label, which in (("training", "loss"), ("validation", "val_loss")):
                curves[f"{optimizer.capitalize()}, {label}"] = run.curve(which)
        levels = {f"PCA {run.code}": run.pca_cross_entropy, "floor": run.floor}
        common.plot_history(curves, levels, EXAMPLES / f"{script}_history.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    whole = {"type": Path, "metavar": "FILE.npz", "required": True}
    parser.add_argument("--data", **whole, help="the whole of MNIST")
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    digits = [x.reshape(-1, 784) for x in common.load_mnist(args.data)]
    for lines in (
        results(args),
        reference(args, *digits),
        claims(args, *digits),
        losses(args),
        ties(args, *digits),
        rates(args, digits[1]),
        experiments(args),
        code_sizes(args, *digits),
    ):
        for line in lines:
            print(line, flush=True)
    pictures(args)
    print(f"All runs together took {sum(times.values()) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()
