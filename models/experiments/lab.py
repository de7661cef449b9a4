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
import hashlib
import importlib
import json
from dataclasses import dataclass

import keras
import numpy as np
import scipy.stats
from sklearn.neighbors import KNeighborsClassifier


@dataclass
class Trained:
    """A network that was trained."""

    folder: Path  # of its encoder and its decoder, for common.load_model
    folders: dict  # epochs to the folder of the network after so many
    best: Path  # the folder of the network with the smallest val_loss, if there is one
    history: dict  # "loss" and, if it was measured, "val_loss": a list, one value an epoch
    parameters: int  # how many weights it has


@dataclass
class Figures:
    """How good codes are, on the test digits."""

    size: int  # numbers in a code
    cross_entropy: float
    errors: np.ndarray  # the mean squared error of each test digit
    right: np.ndarray  # of each test digit: has the nearest code its label (1-NN)?

    @property
    def mse(self):
        """The mean squared error of all test digits."""
        return float(np.mean(self.errors))

    @property
    def accuracy(self):
        """How many test digits are recognised, in percent."""
        return 100 * float(np.mean(self.right))


# ---- Options --------------------------------------------------------------------------------


def parse_options(question):
    """Return the values of the options that each experiment has, and what follows from them.

    `seeds`: those that networks are trained from, and `five_seeds`, where a training takes less
    than a minute; `pictures`: the folder for pictures.
    """
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--data", type=Path, default=common.MNIST, help="MNIST (%(default)s)")
    runs = PROJECT / "models" / "runs"
    parser.add_argument("--runs", type=Path, default=runs, help="networks (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write into README.md")
    parser.add_argument("--quick", action="store_true", help="a test: little is trained")
    args = parser.parse_args(common.command_line(FOLDER))
    args.seeds = [0] if args.quick else [0, 1, 2]
    args.five_seeds = [0] if args.quick else [0, 1, 2, 3, 4]
    args.pictures = FOLDER if args.write else args.runs / "pictures"
    args.pictures.mkdir(parents=True, exist_ok=True)
    return args


# ---- Training -------------------------------------------------------------------------------


def set_seed(seed):
    """Set the seed before a network is built, and let its layers' names begin with number 1.

    What was trained is found again by these names, among others.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def train(
    args,
    network,
    x,
    epochs,
    optimizer,
    batch_size=256,
    loss="binary_crossentropy",
    x_valid=None,
    after=(),
):
    """Train a network on images x, as the scripts do, or find it again; return it.

    `network`: the whole network, its encoder and its decoder. `x_valid`: images whose loss is
    measured after each epoch; then the network of the epoch with the smallest one is kept, too,
    as "best". `after`: the network is kept after each of these epochs, and after the last one.
    """
    autoencoder, encoder, decoder = network
    kept_after = list(after) + [epochs]
    if args.quick:
        kept_after = [1]
    last = kept_after[-1]
    autoencoder.compile(
        optimizer=optimizer,
        loss=loss,
        steps_per_execution=47,
        jit_compile=common.choose_jit_compile(autoencoder, last),
    )
    folder = _folder(args, network, x, x_valid, [last, batch_size])
    kept = {}
    for epoch in kept_after:
        kept[epoch] = folder / f"epoch_{epoch}"
    best = folder / "best"
    validation_data = None
    if x_valid is not None:
        validation_data = (x_valid, x_valid)
    file = folder / "history.json"
    if not file.exists():
        print(f"Training {folder.name}", flush=True)
        keep = _Keep(encoder, decoder, kept, best)
        history = autoencoder.fit(
            x,
            x,
            batch_size,
            last,
            verbose=0,
            validation_data=validation_data,
            callbacks=[keep],
        )
        unfinished = folder / "unfinished.json"
        unfinished.write_text(json.dumps(history.history))
        unfinished.replace(file)
    history = json.loads(file.read_text())
    return Trained(kept[last], kept, best, history, autoencoder.count_params())


class _Keep(keras.callbacks.Callback):
    """Saves both parts of a network after some epochs, and that of the smallest val_loss."""

    def __init__(self, encoder, decoder, folders, best):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.folders = folders
        self.best = best
        self.smallest = np.inf

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.folders:
            self.save(self.folders[epoch + 1])
        if logs.get("val_loss", np.inf) < self.smallest:
            self.smallest = logs["val_loss"]
            self.save(self.best)

    def save(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        common.save_model(self.encoder, "encoder", folder)
        common.save_model(self.decoder, "decoder", folder)


def _folder(args, network, x, x_valid, numbers):
    """Return the folder of a training; its name holds a number of all that this depends on."""
    backend = importlib.import_module(keras.config.backend())
    versions = f"keras {keras.__version__} {backend.__name__} {backend.__version__}"
    configurations = [part.get_config() for part in network]
    configurations.append(network[0].get_compile_config())
    sha = hashlib.sha256(f"{versions} {configurations} {numbers}".encode())
    sha.update(x.tobytes())
    if x_valid is not None:
        sha.update(x_valid.tobytes())
    for array in network[0].get_weights():  # those before the training
        sha.update(array.tobytes())
    return args.runs.resolve() / sha.hexdigest()[:16]


def encode(folder, x):
    """Return the codes of images x, by the encoder in a folder."""
    encoder = common.load_model("encoder", folder)
    shape = (-1,) + encoder.input_shape[1:]  # (-1, 784), or (-1, 28, 28, 1) of conv
    return encoder.predict(x.reshape(shape), batch_size=1000, verbose=0)


def decode(folder, codes):
    """Return the images that the decoder in a folder makes of codes, clipped to 0 ... 1.

    A sigmoid never leaves this range; an output without one may, as PCA's.
    """
    decoder = common.load_model("decoder", folder)
    return decoder.predict(codes, batch_size=1000, verbose=0).clip(0, 1)


def reconstruct(folder, x):
    """Return the images that the network in a folder makes of images x, in their shape."""
    return decode(folder, encode(folder, x)).reshape(x.shape)


# ---- Figures --------------------------------------------------------------------------------


def errors_of(x, images):
    """Return the mean squared error of each image, of the shape of x, as an array."""
    return np.mean((x - images) ** 2, axis=tuple(range(1, x.ndim)))


def measure(folder, digits):
    """Return the figures of the network whose two parts are in a folder."""
    (x_train, _), (x_test, _) = digits
    codes_test = encode(folder, x_test)
    return figures_of(encode(folder, x_train), codes_test, decode(folder, codes_test), digits)


def measure_pca(size, digits):
    """Return the figures of PCA with so many numbers, its images clipped as the scripts do."""
    (x_train, _), (x_test, _) = digits
    codes_train, codes_test, images = common.pca(x_train, x_test, size)
    return figures_of(codes_train, codes_test, images, digits)


def figures_of(codes_train, codes_test, images, digits):
    """Return the figures of codes, and of the images that are decoded from codes_test."""
    (_, y_train), (x_test, y_test) = digits
    x_images = images.reshape(x_test.shape)
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    right = nearest.predict(codes_test.reshape(len(codes_test), -1)) == y_test
    entropy = common.cross_entropy(x_test, x_images)
    return Figures(codes_test[0].size, entropy, errors_of(x_test, x_images), right)


def spread(values, decimals):
    """Return the mean as text, and the standard deviation if there are more values."""
    text = f"{np.mean(values):.{decimals}f}"
    if len(values) > 1:
        text += f" ± {np.std(values, ddof=1):.{decimals}f}"
    return text


def half_interval(values):
    """Return half the width of the 95 % interval of the mean of values, by Student's t."""
    n = len(values)
    return scipy.stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)


def interval_text(mean, half, decimals):
    """Return a mean and its 95 % interval as text."""
    low = mean - half
    high = mean + half
    return f"{mean:+.{decimals}f} ({low:+.{decimals}f} … {high:+.{decimals}f})"


def difference(values, others, decimals):
    """Return by how much values exceed others, seed by seed, as text with the 95 % interval.

    `others`: a value for each seed, or a single one, which has no seed, as of PCA.
    """
    differences = np.subtract(values, others)
    mean = np.mean(differences)
    if len(differences) == 1:
        return f"{mean:+.{decimals}f}"
    return interval_text(mean, half_interval(differences), decimals)


def difference_of_images(values, others, decimals):
    """Return by how much values of images exceed others, as text with the 95 % interval.

    `values`, `others`: the seeds' values of each image, (seeds, images), of one seed where there is
    none, as of PCA. Seeds and images are samples, both: the means over the images have an interval,
    and so have the means over the seeds. Theirs is the root of the sum of both squares.
    """
    differences = np.subtract(values, others)
    half = half_interval(np.mean(differences, axis=0))
    if len(differences) > 1:
        half = np.hypot(half, half_interval(np.mean(differences, axis=1)))
    return interval_text(np.mean(differences), half, decimals)


def error_difference(figures, others):
    """Return by how much mean squared errors exceed others, as text."""
    return difference_of_images([x.errors for x in figures], [x.errors for x in others], 5)


def accuracy_difference(figures, others):
    """Return by how many points accuracies exceed others, as text."""
    points = [100.0 * x.right for x in figures]
    return difference_of_images(points, [100.0 * x.right for x in others], 1)


# ---- The text -------------------------------------------------------------------------------


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
