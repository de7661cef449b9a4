"""Measure what models/examples/README.md reports, and draw the pictures beside it.

python tests/measure.py --data mnist.npz --runs runs

Every run is a script of the project, as a user would call it or with a line changed, but
for a few networks that are built here; `--only network_of_2006` trains and reports just
one part. What is in the folder --runs is not run again, so that a measurement which was
stopped goes on.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import common  # isort: skip (first: it keeps TensorFlow's start quiet)

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Conv2D, Conv2DTranspose, Dense, MaxPooling2D, UpSampling2D
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

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
# Lines of a script that a reader may change: the old text and the new.
MSE = ('loss="binary_crossentropy"', 'loss="mse"')
DROPOUT = [
    ("import Dense\n", "import Dense, Dropout\n"),
    (
        "regularizer=penalty)(input_img)",
        "regularizer=penalty)(Dropout(0.5)(input_img))",
    ),
]


def recognised(codes, labels, known, known_labels, neighbours=1):
    """The share of codes whose nearest known codes have the same label."""
    codes, known = (x.reshape(len(x), -1) for x in (codes, known))
    nearest = KNeighborsClassifier(neighbours, algorithm="brute")
    return nearest.fit(known, known_labels).score(codes, labels)


class Data:
    """The whole of MNIST, flat, and what PCA makes of it."""

    def __init__(self, path):
        (self.x, self.y), (self.x_test, self.y_test) = common.load_mnist(path)
        self.x, self.x_test = (x.reshape(-1, 784) for x in (self.x, self.x_test))
        self.pcas = {}

    def pca(self, size):
        if size not in self.pcas:
            fitted = PCA(size, svd_solver="covariance_eigh").fit(self.x)
            self.pcas[size] = Coder(self, fitted.transform, fitted.inverse_transform)
            self.pcas[size].components = fitted.components_
        return self.pcas[size]

    def shaped(self, model):
        """The digits as a network takes them."""
        shape = (-1, *model.input.shape[1:])
        return self.x.reshape(shape), self.x_test.reshape(shape)


class Coder:
    """What makes codes of digits, and digits of codes; its figures on the test digits."""

    def __init__(self, data, encode, decode, shape=(784,), cache=None):
        self.encode, self.decode, self.shape = encode, decode, shape
        if cache and cache.exists():
            vars(self).update(json.loads(cache.read_text()))
            return
        codes = encode(data.x_test.reshape(-1, *shape))
        known = encode(data.x.reshape(-1, *shape))
        images = decode(codes).reshape(-1, 784)
        figures = {
            "size": codes[0].size,
            "cross_entropy": common.cross_entropy(data.x_test, images),
            "mse": float(np.mean((data.x_test - images) ** 2)),
            "psnr": float(keras.ops.psnr(data.x_test, images, 1)),
        }
        for k in (1, 15):
            share = recognised(codes, data.y_test, known, data.y, k)
            figures[f"recognised_{k}"] = float(share)
        vars(self).update(figures)
        if cache:
            cache.write_text(json.dumps(figures))

    def draw(self, digits):
        images = self.decode(self.encode(digits.reshape(-1, *self.shape)))
        return images.reshape(-1, 784)


def network_coder(data, encoder, decoder, cache):
    def encode(x):
        return encoder.predict(x, batch_size=1000, verbose=0)

    def decode(codes):
        return decoder.predict(codes, batch_size=1000, verbose=0)

    return Coder(data, encode, decode, encoder.input.shape[1:], cache)


class Run:
    """A run of a script, with some of its lines changed, and what it printed and left."""

    def __init__(self, args, script, *options, changes=(), name=None):
        name = "_".join([name or script, *options]).replace("--", "").replace(".", "")
        runs = args.runs.resolve() / name
        self.folder = runs / script
        output = runs / "output.txt"
        if not output.exists():
            print(f"running {name}", file=sys.stderr, flush=True)
            source = (ROOT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
            for old, new in changes:
                assert source.count(old) == 1, old
                source = source.replace(old, new)
            runs.mkdir(exist_ok=True)
            path = runs / f"{script}_autoencoder.py"
            path.write_text(source, encoding="utf-8")
            command = [sys.executable, path, *options, "--models", runs, "--no-show"]
            env = os.environ | {"PYTHONPATH": str(ROOT)}
            start = time.perf_counter()
            done = subprocess.run(
                [*command, "--data", args.data.resolve()],
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env=env,
                check=True,
            )
            seconds = time.perf_counter() - start
            output.write_text(f"{done.stdout}\n{seconds}\n", encoding="utf-8")
        self.output = output.read_text(encoding="utf-8")
        times[name] = float(self.output.split()[-1])
        (self.parameters,) = re.findall(r"Total params: ([\d,]+)", self.output)
        parts = self.load("encoder"), self.load("decoder")
        self.coder = network_coder(args.digits, *parts, runs / "figures.json")

    def curve(self, which):
        """The losses of each epoch, as Keras printed them."""
        return [*map(float, re.findall(rf" - {which}: ([\d.e-]+)", self.output))]

    def load(self, name):
        return common.load_model(name, self.folder)


def default_run(args, script, optimizer, epochs, seed):
    settings = ["--optimizer", optimizer, "--epochs", str(epochs), "--seed", str(seed)]
    return Run(args, script, *settings)


def single(args, size="16", l1="0", optimizer="adam"):
    """A run of the single layer over 50 epochs, with Adam and no penalty if not said."""
    options = ("--optimizer", optimizer, "--l1", l1, "--encoding-dim", str(size))
    return Run(args, "simple", *options)


def deep(args, size=32, seed=0):
    if size == 32:
        return default_run(args, "deep", "adam", 50, seed)
    return Run(args, "deep", "--optimizer", "adam", "--encoding-dim", str(size))


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
    """The single layer with tied weights, and no penalty."""
    digits = keras.Input((784,))
    encoding = Dense(16, "relu")
    code = encoding(digits)
    settings = {"optimizer": "adam", "loss": "binary_crossentropy"}
    return digits, code, Tied(encoding)(code), settings, 50, 256


def deep_in_own_orders():
    """The deep script's network and settings; `train` gives each epoch its own order."""
    digits = x = keras.Input((784,))
    for width in (128, 64, 32):
        code = x = Dense(width, "relu")(x)
    for width in (64, 128):
        x = Dense(width, "relu")(x)
    optimizer = keras.optimizers.Adam(0.0015)
    settings = {"optimizer": optimizer, "loss": "binary_crossentropy"}
    return digits, code, Dense(784, "sigmoid")(x), settings, 50, 256


def with_cosine_decay(epochs, batch_size, loss):
    """Settings for `compile`: Adam from 0.001 down to 0, over 60,000 digits."""
    steps = epochs * -(-60_000 // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(0.001, steps)
    return {"optimizer": keras.optimizers.Adam(rate), "loss": loss}


def network_of_2006(size=30, epochs=50):
    """The network of Hinton and Salakhutdinov, without their pre-training."""
    digits = x = keras.Input((784,))
    for width in (1000, 500, 250):
        x = Dense(width, "gelu")(x)
    x = code = Dense(size)(x)
    for width in (250, 500, 1000):
        x = Dense(width, "gelu")(x)
    settings = with_cosine_decay(epochs, 128, "mse")
    return digits, code, Dense(784, "sigmoid")(x), settings, epochs, 128


def network_of_2006_code_of_2():
    return network_of_2006(size=2, epochs=12)


def strided(first, second):
    """Convolutions down by strides of 2, transposed ones up, to the post's code of 128."""
    digits = keras.Input((28, 28, 1))
    x = Conv2D(first, 3, 2, "same", activation="relu")(digits)
    x = Conv2D(second, 3, 2, "same", activation="relu")(x)
    code = Conv2D(8, 3, 2, "same")(x)  # (4, 4, 8), and below 0 too
    x = Conv2DTranspose(second, 3, 2, "same", activation="relu")(code)
    x = Conv2D(second, 2, activation="relu")(x)  # 8 x 8 becomes 7 x 7
    x = Conv2DTranspose(first, 3, 2, "same", activation="relu")(x)
    x = Conv2DTranspose(first, 3, 2, "same", activation="relu")(x)
    drawn = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return digits, code, drawn, with_cosine_decay(6, 128, "binary_crossentropy"), 6, 128


def wide_post():
    """The post's layers with 32 channels each, but for the code's 8."""
    digits = keras.Input((28, 28, 1))
    x = Conv2D(32, 3, padding="same", activation="relu")(digits)
    x = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(32, 3, padding="same", activation="relu")(x)
    x = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(8, 3, padding="same", activation="relu")(x)
    code = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(32, 3, padding="same", activation="relu")(code)
    x = UpSampling2D(2)(x)
    x = Conv2D(32, 3, padding="same", activation="relu")(x)
    x = UpSampling2D(2)(x)
    x = Conv2D(32, 3, activation="relu")(x)
    x = UpSampling2D(2)(x)
    drawn = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return digits, code, drawn, with_cosine_decay(6, 128, "binary_crossentropy"), 6, 128


def strided_16_32():
    return strided(16, 32)


def strided_32_64():
    return strided(32, 64)


def trained(args, build, seed=0):
    """Train a network that no script has, each epoch in an order of its own."""
    folder = args.runs / f"{build.__name__}_seed_{seed}"
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(seed)
    digits, code, drawn, settings, epochs, batch_size = build()
    network, encoder = keras.Model(digits, drawn), keras.Model(digits, code)
    done = folder / "seconds.json"
    if not done.exists():
        print(f"training {folder.name}", file=sys.stderr, flush=True)
        network.compile(**settings, **common.speed_settings(network, epochs))
        x, _ = args.digits.shaped(network)
        seconds = []
        for epoch in range(epochs):
            x_epoch = x[np.random.permutation(len(x))]
            start = time.perf_counter()
            passes = {"initial_epoch": epoch, "epochs": epoch + 1, "shuffle": False}
            network.fit(x_epoch, x_epoch, batch_size, verbose=0, **passes)
            seconds.append(time.perf_counter() - start)
        np.savez(folder / "weights.npz", *network.get_weights())
        done.write_text(json.dumps(seconds))
    with np.load(folder / "weights.npz") as weights:
        network.set_weights([weights[f"arr_{i}"] for i in range(len(weights.files))])
    seconds = json.loads(done.read_text())
    decoder = keras.Model(code, drawn)
    coder = network_coder(args.digits, encoder, decoder, folder / "figures.json")
    coder.parameters, coder.seconds = f"{network.count_params():,}", sum(seconds)
    coder.epochs, coder.seconds_an_epoch = epochs, statistics.median(seconds)
    times[folder.name] = coder.seconds
    return coder


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


def figures(coders):
    """Cells of a table: the mean and the spread of what the coders reach."""
    percents = [100 * x.recognised_1 for x in coders]
    return (
        spread((x.cross_entropy for x in coders), 4),
        spread((x.mse for x in coders), 5),
        spread((x.psnr for x in coders), 2),
        spread((784 * x.mse for x in coders), 2),
        spread(percents, 1),
    )


def results(args):
    """The results table, as lines of Markdown."""
    yield head(
        *("network", "optimizer", "epochs", "seeds", "parameters"),
        *("cross-entropy", "MSE", "PSNR, dB", "squared error of a digit"),
        "recognised, %",
    )
    for script, optimizer, epochs, seeds in ROWS:
        runs = [default_run(args, script, optimizer, epochs, seed) for seed in seeds]
        label = f"{script}, code {runs[0].coder.size}"
        cells = label, optimizer, epochs, len(runs), runs[0].parameters
        yield row(*cells, *figures([run.coder for run in runs]))
    dense = single(args, 128)
    cells = "a single layer, code 128, no penalty", "adam", 50, 1, dense.parameters
    yield row(*cells, *figures([dense.coder]))
    for size in (16, 32, 128):
        yield row(f"PCA, code {size}", *"––––", *figures([args.digits.pca(size)]))
    x, x_test = args.digits.x, args.digits.x_test
    share = recognised(x_test, args.digits.y_test, x, args.digits.y)
    yield row("the pixels", *"––––––––", f"{100 * share:.1f}")
    yield f"\nFloor of the cross-entropy: {common.cross_entropy(x_test, x_test):.4f}.\n"


def reference(args):
    """The network of 2006, beside what its paper reports."""
    runs = [trained(args, network_of_2006, seed) for seed in SEEDS]
    yield head("30 numbers", "squared error of a digit", "minutes of training")
    yield row("784-1000-500-250-30, pre-trained (2006)", "3.00", "–")
    label = f"784-1000-500-250-30, here: {runs[0].epochs} epochs of Adam, {len(runs)} seeds"
    minutes = f"{statistics.mean(x.seconds for x in runs) / 60:.0f}"
    yield row(label, spread((784 * x.mse for x in runs), 2), minutes)
    yield row("logistic PCA (2006)", "8.01", "–")
    yield row("PCA (2006)", "13.87", "–")
    yield row("PCA, here", f"{784 * args.digits.pca(30).mse:.2f}", "–")
    yield ""


def orders(args):
    """What it costs that Keras repeats the first epoch's order in all others."""
    yield head("deep, 50 epochs of Adam", "seeds", "cross-entropy", "MSE")
    repeated = [deep(args, seed=seed).coder for seed in SEEDS]
    own = [trained(args, deep_in_own_orders, seed) for seed in SEEDS]
    for label, coders in (("one order (Keras)", repeated), ("an order an epoch", own)):
        yield row(label, len(coders), *figures(coders)[:2])
    yield ""


def labelled(coder):
    return f"{100 * coder.recognised_1:.1f} %", f"{100 * coder.recognised_15:.1f} %"


def code_sizes(args):
    """Errors and recognised digits against the size of the code; also as a picture."""
    kinds = {"single layer": [], "deep": [], "PCA": []}
    for size in SIZES:
        kinds["single layer"].append(single(args, size).coder)
        kinds["deep"].append(deep(args, size).coder)
        kinds["PCA"].append(args.digits.pca(size))
    pixels = args.digits.x_test, args.digits.y_test, args.digits.x, args.digits.y
    pixels = 100 * recognised(*pixels)
    figure = plt.figure(figsize=(12, 8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[4, 3])
    left, right = above.subplots(1, 2)
    for kind, coders in kinds.items():
        left.loglog(SIZES, [x.mse for x in coders], "o-", label=kind)
        right.semilogx(SIZES, [100 * x.recognised_1 for x in coders], "o-", label=kind)
    right.axhline(pixels, color="gray", ls="--", label=f"all pixels: {pixels:.1f}")
    ticks = (0.002, 0.005, 0.01, 0.02, 0.05)
    left.set_yticks(ticks, ticks)
    left.set_ylabel("mean squared error")
    right.set_ylabel("recognised by the nearest code, %")
    for axes in (left, right):
        axes.set_xticks(SIZES, SIZES)
        axes.minorticks_off()
        axes.set_xlabel("numbers in the code")
        axes.grid(alpha=0.3)
        axes.legend()
    cells = below.subplots(3, len(SIZES), subplot_kw={"xticks": [], "yticks": []})
    for line, (kind, coders) in zip(cells, kinds.items(), strict=True):
        line[0].set_ylabel(kind)
        for cell, coder in zip(line, coders, strict=True):
            image = coder.draw(args.digits.x_test[:1]).reshape(28, 28)
            cell.imshow(image, cmap="gray", vmin=0, vmax=1)
    for cell, size in zip(cells[-1], SIZES, strict=True):
        cell.set_xlabel(size)
    save(figure, "code_size.png")

    yield head("MSE with a code of", *SIZES)
    for kind, coders in kinds.items():
        yield row(kind, *(f"{x.mse:.5f}" for x in coders))
    yield ""
    yield head("recognised, %, with a code of", *SIZES)
    for kind, coders in kinds.items():
        yield row(kind, *(f"{100 * x.recognised_1:.1f}" for x in coders))
    yield row("all pixels", *[""] * (len(SIZES) - 1), f"{pixels:.1f}")
    yield ""


def save(figure, name):
    figure.savefig(EXAMPLES / name, dpi=100)
    plt.close(figure)


def two_numbers(args):
    """Codes of two numbers, told apart by one and by fifteen neighbours; and as maps."""
    best = trained(args, network_of_2006_code_of_2)
    rows = {
        "PCA": args.digits.pca(2),
        "single layer": single(args, 2).coder,
        "deep, its middle 2": deep(args, 2).coder,
        f"784-1000-500-250-2 (2006), {best.epochs} epochs": best,
    }
    yield head("a code of 2", "MSE", "recognised by 1", "by 15")
    for label, coder in rows.items():
        yield row(label, f"{coder.mse:.5f}", *labelled(coder))
    yield ""
    figure, axes = plt.subplots(1, 2, figsize=(14, 7), layout="constrained")
    for ax, coder, title in zip(axes, (rows["PCA"], best), ("PCA", "2006"), strict=True):
        codes = coder.encode(args.digits.x_test)
        for digit, color in enumerate(plt.get_cmap("tab10").colors):
            sign = {"marker": f"${digit}$", "color": color, "lw": 0, "label": digit}
            ax.scatter(*codes[args.digits.y_test == digit].T, 14, **sign)
        ax.set(title=title, xticks=[], yticks=[])
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    save(figure, "map_2006.png")


def convolutions(args):
    """What it takes that convolutions come out ahead, with the same code of 128."""
    yield head("a code of 128", "parameters", "epochs", "seconds an epoch", "MSE")
    post = default_run(args, "conv", "adam", 10, 0)
    yield row("the post's layers", post.parameters, 10, "–", f"{post.coder.mse:.5f}")
    for label, build in (
        ("the post's layers, 32 channels", wide_post),
        ("strides, 16 and 32 channels", strided_16_32),
        ("strides, 32 and 64 channels", strided_32_64),
    ):
        x = trained(args, build)
        cells = x.parameters, x.epochs, f"{x.seconds_an_epoch:.0f}", f"{x.mse:.5f}"
        yield row(label, *cells)
    yield row("PCA", "–", "–", "–", f"{args.digits.pca(128).mse:.5f}")
    yield ""


def losses(args):
    """Trained with either loss, measured by both."""
    yield head("50 epochs of Adam", "trained with", "cross-entropy", "MSE")
    for script in ("simple", "deep"):
        options = (args, script, "--optimizer", "adam")
        by_mse = Run(*options, changes=[MSE], name=f"{script}_mse")
        by_entropy = default_run(args, script, "adam", 50, 0)
        for label, run in (("cross-entropy", by_entropy), ("MSE", by_mse)):
            yield row(script, label, *figures([run.coder])[:2])
    yield ""


def ties(args):
    """Tied weights beside weights of their own."""
    label = "single layer, 16 numbers, no penalty"
    yield head(label, "parameters", "cross-entropy", "MSE")
    both = [trained(args, tied, seed) for seed in SEEDS]
    own = single(args)
    yield row(f"tied, {len(SEEDS)} seeds", both[0].parameters, *figures(both)[:2])
    yield row("untied", own.parameters, *figures([own.coder])[:2])
    yield ""


def rates(args):
    """Adadelta at Keras's rate of today and at that of 2017; also as a picture."""
    x_test = args.digits.x_test[:10]
    pictures = {"original": x_test}
    yield head("epochs", "validation loss at 0.001", "at 1.0")
    table = {n: [] for n in ("1", "2", "5", "10", "50")}
    for rate in ("0.001", "1.0"):
        for n, cells in table.items():
            run = Run(args, "simple", "--learning-rate", rate, "--epochs", n)
            cells.append(f"{run.curve('val_loss')[-1]:.4f}")
            pictures[f"{rate}, epoch {n}"] = run.coder.draw(x_test)
    for n, cells in table.items():
        yield row(n, *cells)
    common.plot_rows(pictures, 10, EXAMPLES / "adadelta.png")
    yield ""


def experiments(args):
    """What the README proposes to try, with Adam over 50 epochs."""
    yield head("experiment", "cross-entropy", "MSE", "recognised, %")
    adam = ("--optimizer", "adam")
    runs = {
        "simple": default_run(args, "simple", "adam", 50, 0),
        "`--encoding-dim 2`": Run(args, "simple", *adam, "--encoding-dim", "2"),
        "`--l1 0.001`": single(args, l1="0.001"),
        "`--encoding-dim 1000`": single(args, "1000", l1="0.0001"),
        "`Dropout(0.5)` on the input": denoising(args),
    }
    for label, run in runs.items():
        cells = figures([run.coder])
        yield row(label, *cells[:2], cells[-1])
    yield ""


def denoising(args):
    options = (args, "simple", "--optimizer", "adam")
    return Run(*options, changes=DROPOUT, name="simple_dropout")


def noise(args):
    """Noisy digits, and what the denoising network and the plain one make of them."""
    rng = np.random.default_rng(0)
    x_test = args.digits.x_test
    kept = rng.random(x_test.shape) < 0.5
    noisy = (2 * x_test * kept).astype("float32")  # as Dropout(0.5) makes them
    plain = default_run(args, "simple", "adam", 50, 0).coder
    rows = {"original": x_test, "half the pixels": noisy}
    yield head("MSE from the clean digits", "of clean digits", "of noisy digits")
    yield row("the noisy digits", "–", f"{np.mean((noisy - x_test) ** 2):.5f}")
    for label, coder in (("plain", plain), ("denoising", denoising(args).coder)):
        rows[label] = coder.draw(noisy)
        error = np.mean((rows[label] - x_test) ** 2)
        yield row(label, f"{coder.mse:.5f}", f"{error:.5f}")
    common.plot_rows(
        {k: np.clip(x, 0, 1) for k, x in rows.items()}, 10, EXAMPLES / "noise.png"
    )
    yield ""


def letters():
    """The capital letters that look like no digit, of Matplotlib's fonts: (n, 784)."""
    images = []
    families = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono")
    for family in families:
        for weight in ("normal", "bold"):
            for style in ("normal", "oblique"):
                font = FontProperties(family=family, weight=weight, style=style)
                images += [drawn(letter, font) for letter in "ACEFHJKMNPRTUVWXY"]
    return np.array(images)


def drawn(text, font):
    """A text in white on black, 20 pixels high in an image of 28 x 28, as MNIST has it."""
    path = TextPath((0, 0), text, size=100, prop=font)
    (left, bottom), (right, top) = path.get_extents().get_points()
    k = 4  # samples a pixel, each way
    scale = 20 / max(right - left, top - bottom)
    offsets = (np.arange(28 * k) + 0.5) / k - 14
    x, y = np.meshgrid(offsets / scale, -offsets / scale)
    points = np.stack([x + (left + right) / 2, y + (bottom + top) / 2], -1).reshape(-1, 2)
    inside = path.contains_points(points).reshape(28, k, 28, k)
    return inside.mean(axis=(1, 3)).astype("float32").ravel()


def anomalies(args):
    """The error of each digit, and of what is none; also as a picture."""
    coder, x_test = deep(args).coder, args.digits.x_test
    turned = np.isin(args.digits.y_test, (2, 3, 4, 5, 7))  # no digits upside down
    upside_down = "digits upside down (2, 3, 4, 5, 7)"
    kinds = {
        "test digits": x_test,
        upside_down: x_test[turned][:, ::-1],
        "letters": letters(),
        "noise": np.random.default_rng(0).permuted(x_test, axis=1),
    }
    images = {kind: coder.draw(x) for kind, x in kinds.items()}
    errors = {k: np.mean((images[k] - x) ** 2, axis=1) for k, x in kinds.items()}
    limit = np.quantile(errors["test digits"], 0.95)
    yield head("deep, code 32", "how many", "median MSE", f"MSE above {limit:.4f}")
    for kind, values in errors.items():
        share = f"{100 * np.mean(values > limit):.1f} %"
        yield row(kind, len(values), f"{np.median(values):.4f}", share)
    yield ""
    worst = np.argsort(errors["test digits"])[::-1][:10]
    figure = plt.figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[5, 6])
    axes = above.subplots()
    bins = np.geomspace(1e-4, 0.3, 120)
    for kind, values in errors.items():
        weights = np.full(len(values), 100 / len(values))
        axes.hist(values, bins, weights=weights, histtype="step", lw=1.5, label=kind)
    axes.axvline(limit, color="gray", ls="--", label="95 % of the digits are below")
    axes.set(xscale="log", xlabel="mean squared error", ylabel="%")
    axes.legend()
    rows = {
        "worst digits": (x_test[worst], images["test digits"][worst]),
        "upside down": (kinds[upside_down][:10], images[upside_down][:10]),
        "letters": (kinds["letters"][:10], images["letters"][:10]),
    }
    cells = below.subplots(6, 10, subplot_kw={"xticks": [], "yticks": []})
    lines = [(kind, part) for kind, parts in rows.items() for part in parts]
    for i, (line, (kind, part)) in enumerate(zip(cells, lines, strict=True)):
        text = kind if i % 2 == 0 else "drawn"
        line[0].set_ylabel(text, rotation=0, ha="right", va="center")
        for cell, image in zip(line, part, strict=True):
            cell.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
    save(figure, "anomalies.png")


def claims(args):
    """Tables that answer the post's claims, as lines of Markdown."""
    yield head(
        *("single layer", "optimizer", "MSE"),
        "angles to PCA's subspace: median, largest",
        "PCA's components that the code explains",
        *("mean of a code value", "zeros in the codes"),
    )
    settings = [("16", l1) for l1 in ("0", "0.0001", "0.001")] + [("1000", "0.0001")]
    x_test, components = args.digits.x_test, args.digits.pca(16).components
    for optimizer in ("adadelta", "adam"):
        for size, l1 in settings:
            run = single(args, size, l1, optimizer)
            code = run.coder.encode(x_test)
            angles = explained = "–"
            if size == "16":
                kernel = run.load("decoder").get_weights()[0]
                degrees = principal_angles(components, np.linalg.qr(kernel.T)[0].T)
                angles = f"{np.median(degrees):.0f}°, {degrees.max():.0f}°"
                explained = f"{explained_share(x_test @ components.T, code):.1%}"
            yield row(
                *(f"code {size}, penalty {l1}", optimizer),
                *(f"{run.coder.mse:.5f}", angles, explained),
                *(f"{code.mean():.2f}", f"{np.mean(code == 0):.1%}"),
            )
    yield ""

    autoencoder = deep(args).load("autoencoder")
    whole, differences = autoencoder.predict(x_test, 1000, 0), []
    for layer in autoencoder.layers[1:-1]:
        encoder = keras.Model(autoencoder.input, layer.output)
        decoder = keras.Model(layer.output, autoencoder.output)
        parts = decoder.predict(encoder.predict(x_test, 1000, 0), 1000, 0)
        differences.append(np.abs(parts - whole).max())
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
                draw_again(args, script, run)
                shown = script != "conv" or (optimizer, n) == ("adam", 50)
                for picture in ("reconstructions", *(more[script] if shown else [])):
                    name = f"{script}_{picture}_{optimizer}_{n}.png"
                    shutil.copy(run.folder / f"{picture}.png", EXAMPLES / name)
            for label, which in (("training", "loss"), ("validation", "val_loss")):
                curves[f"{optimizer.capitalize()}, {label}"] = run.curve(which)
        x_test, pca = args.digits.x_test, args.digits.pca(run.coder.size)
        path = EXAMPLES / f"{script}_history.png"
        common.plot_history(curves, x_test, pca.draw(x_test), path)
    run = deep(args, 2)
    draw_again(args, "deep", run)
    shutil.copy(run.folder / "map.png", EXAMPLES / "deep_map_adam_50.png")
    yield "The pictures are drawn."


def draw_again(args, script, run):
    command = [sys.executable, ROOT / f"{script}_autoencoder.py", "--load", "--no-show"]
    command += ["--data", args.data, "--models", run.folder.parent]
    subprocess.run(command, check=True, stdout=sys.stderr)


PARTS = [
    *(results, reference, orders, claims, losses, ties, rates, experiments, noise),
    *(code_sizes, two_numbers, convolutions, anomalies, pictures),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    whole = {"type": Path, "metavar": "FILE.npz", "required": True}
    parser.add_argument("--data", **whole, help="the whole of MNIST")
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    names = [part.__name__ for part in PARTS]
    parser.add_argument("--only", choices=names, nargs="+", default=names)
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    args.digits = Data(args.data)
    for part in PARTS:
        if part.__name__ in args.only:
            for line in part(args) or ():
                print(line, flush=True)
    print(f"All runs together took {sum(times.values()) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()
