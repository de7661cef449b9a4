"""What the three scripts share: options, digits, training, saving, pictures, the table.

The networks, the arrays and the results are in the scripts. The functions here check, load,
save, print and draw what they are handed.

The import gives Matplotlib its default settings, so that a matplotlibrc of yours changes no
picture; what you set after the imports holds.
"""

import contextlib
import inspect
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
from pathlib import Path

# Keras and TensorFlow read these when they are imported, which is why the scripts import common
# first. Unless you have set them, TensorFlow computes, and prints few messages.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

plt.rcdefaults()

FOLDER = Path(__file__).resolve().parent
MNIST = FOLDER / "models" / "data" / "mnist.npz"


class UserError(Exception):
    """A failure that you can mend; its text is one line."""


# ---- 选项 · Options ----------------------------------------------------------------------


def start(parser):
    """Add the options that all scripts have, and return the values of all options.

    `parser` is the script's `argparse.ArgumentParser`, with its own options. From the
    terminal, the values are those of the command line. In cells of Spyder or Jupyter they
    are the defaults; change them after that cell, for instance by `args.epochs = 5`.

    It also prepares the process, by `prepare_process`.
    """
    prepare_process()
    add = parser.add_argument
    add("--optimizer", default="adadelta", help="优化器 · any of Keras (%(default)s)")
    add("--seed", type=int, default=0, help="随机种子 · random seed (%(default)s)")
    add("--data", default=MNIST, help="数据文件，格式同 mnist.npz · a file like mnist.npz")
    add("--models", default=FOLDER / "models", help="输出文件夹 · where to save (%(default)s)")
    add("--load", action="store_true", help="不训练，加载上次的网络 · load the last networks")
    add("--no-show", action="store_true", help="不弹出窗口 · only save the pictures")
    # The file of the code that called this function. (In Jupyter, __file__ does not exist.)
    script = inspect.stack()[1].filename
    return parser.parse_args(command_line(script))


def prepare_process():
    """Prepare the whole process.

    - In a terminal, a `UserError` is printed in one line.
    - What the output has no character for, such as Chinese on a Western Windows, is printed
      as `?`.
    - Keras computes by its defaults (float32, an epsilon of 1e-7, an image's channels in its
      last axis), whatever your keras.json says.
    """
    sys.excepthook = print_error
    if isinstance(sys.stdout, io.TextIOWrapper):  # in a notebook it is something else
        sys.stdout.reconfigure(errors="replace")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


def command_line(script):
    """Return the words on the command line, a list, if they are for this script, a path.

    They are if Python was started with the script. In cells, the command line is Jupyter's or
    Spyder's own, so the list is empty; likewise if another program imports the script.
    """
    if Path(sys.argv[0]).resolve() == Path(script).resolve():
        return sys.argv[1:]
    return []


def print_error(kind, error, traceback):
    """Print an error as Python does, but a UserError in one line."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


# ---- 数据 · Digits -----------------------------------------------------------------------


def load_mnist(path=MNIST):
    """Return `(x_train, y_train), (x_test, y_test)`: MNIST's digits, scaled, and labels.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,). 60,000 to train, and 10,000 to test.

    `path`: a file as `keras.datasets.mnist.load_data()` has it, with x uint8 from 0 to 255, and
    y integers. The post makes that call, which first downloads the file; behind many firewalls
    this fails or hangs. So the file comes with this project. Raises UserError if there is none,
    or if it has something else. Source: https://keras.io/api/datasets/mnist/
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    try:
        with np.load(path) as file:
            x_train = file["x_train"]
            y_train = file["y_train"]
            x_test = file["x_test"]
            y_test = file["y_test"]
    except Exception as error:
        names = "x_train, y_train, x_test and y_test"
        raise UserError(f"{path} is no .npz file with the arrays {names}") from error
    _check_digits(f"{path}, x_train and y_train", x_train, y_train)
    _check_digits(f"{path}, x_test and y_test", x_test, y_test)
    x_train = x_train.astype("float32") / 255
    x_test = x_test.astype("float32") / 255
    return (x_train, y_train), (x_test, y_test)


def _check_digits(where, x, y):
    """Raise UserError if x are no images as MNIST has them, or y are not their labels."""
    if x.dtype != np.uint8 or x.shape[1:] != (28, 28) or x.max(initial=0) <= 1:
        raise UserError(
            f"{where}: images must be uint8, (n, 28, 28), with pixels from 0 to 255, not from 0 "
            f"to 1; these are {x.dtype}, {x.shape}"
        )
    if not np.issubdtype(y.dtype, np.integer) or y.shape != (len(x),):
        raise UserError(
            f"{where}: labels must be whole numbers, one for each of the {len(x)} images; "
            f"these are {y.dtype}, {y.shape}"
        )


# ---- 训练 · Training ---------------------------------------------------------------------


def set_seed(seed):
    """Set the seed of all random numbers, a whole number from 0 to 2**32 - 1.

    On the same CPU, with the same versions, the same seed repeats a training exactly; on a GPU
    it may not.
    """
    keras.utils.set_random_seed(seed)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # With its "arithmetic optimization", TensorFlow adds numbers up in an order that differs
        # from run to run, and so does the rounding. (Found by experiment. Keras's own recipe,
        # tf.config.experimental.enable_op_determinism(), repeats runs too, but makes an epoch
        # about twice as long.)
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def get_optimizer(name, rates):
    """Return an optimizer of Keras by its name, however that is spelt: "adam", "Adam".

    `rates`: the learning rates of some optimizers, by their names in small letters; the others
    have Keras's. An optimizer in place of a name is returned as it is. Raises Keras's
    ValueError if there is none of that name.
    """
    optimizer = keras.optimizers.get(name)
    spelt_small = type(optimizer).__name__.lower()
    if isinstance(name, str) and spelt_small in rates:
        optimizer.learning_rate = rates[spelt_small]
    return optimizer


def speed_settings(model, digits, batch_size, epochs):
    """Return a dictionary of what `compile` takes to make the training faster.

    `digits`: how many images there are to train. The results change by rounding alone.
    """
    # A step is one change of the weights, by one batch. Going back to Python after each step
    # takes a good part of the time, so up to 47 steps are run in one go. That is a fifth of an
    # epoch of 60,000 digits in batches of 256; with more, the bar and Ctrl-C, which wait for the
    # end of a go, would be slower to react.
    steps = math.ceil(digits / batch_size)
    settings = {"steps_per_execution": min(steps, 47)}

    # XLA is TensorFlow's compiler, which Keras does not use on a processor by itself. It makes
    # the steps of dense layers twice as fast, which makes up for the seconds that it takes at
    # first if there are 10 epochs or more. It slows convolutions down, and Dropout tenfold.
    dense = (keras.layers.InputLayer, keras.layers.Dense)
    all_dense = all(isinstance(layer, dense) for layer in model.layers)
    if keras.config.backend() == "tensorflow" and all_dense and epochs >= 10:
        import tensorflow as tf

        settings["jit_compile"] = tf.test.is_built_with_xla()  # False on Windows
    return settings


def check_before_training(autoencoder, encoder, decoder, folder):
    """Before a training, check that it will not be in vain.

    The parts must belong to the network, and the untrained network is saved and loaded, for a
    trial. Makes the folder, if there is none. Raises UserError if nothing can be written to it,
    or if encoder or decoder have weights that are not the autoencoder's. If Keras cannot load the
    autoencoder, for instance with a layer of your own, the error is Keras's, and says what to do.
    """
    # Training the autoencoder would not train parts that have other weights.
    for part in (encoder, decoder):
        for variable in part.variables:
            if not any(variable is own for own in autoencoder.variables):
                raise UserError(
                    "encoder and decoder must be parts of the autoencoder, but it has no "
                    f"{variable.path}: build the three again in one cell"
                )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as trial:
            save_model(autoencoder, "untrained", trial)
            load_model("untrained", trial)
    except OSError as error:
        raise UserError(f"--models: nothing can be written to {folder} ({error})") from error


@contextlib.contextmanager
def ctrl_c_stops(model):
    """Within the block, Ctrl-C ends `model.fit` soon, and what was learnt stays.

    `fit` returns after the steps that are being run, and a validation. A second Ctrl-C does
    what it does without this block. Python lets only a program's main thread change what Ctrl-C
    does; in another one, such as a web page's, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # here the block runs
        return
    usual = signal.getsignal(signal.SIGINT)  # SIGINT is the signal that Ctrl-C sends

    def stop(number, frame):
        model.stop_training = True
        print("\nSTOPPED EARLY by Ctrl-C; once more to leave at once", file=sys.stderr)
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


# ---- 保存和加载 · Saving and loading -----------------------------------------------------


def save_model(model, name, folder):
    """Save a network in two pickle files, as the post does: its configuration, its weights.

    A pickle of classes can run any code when it is loaded. So these have plain data alone:
    containers, texts, numbers and bytes. `<name>_config.pkl` has `model.get_config()`, and
    `<name>_weights.pkl` a list of `(dtype, shape, bytes)` for `model.get_weights()`.

    Raises UserError if weights are not finite.
    """
    weights = []
    for array in model.get_weights():
        if not np.isfinite(array).all():
            raise UserError(
                "the network diverged and is not saved: build it again, with a lower learning rate"
            )
        weights.append((array.dtype.str, array.shape, array.tobytes()))
    _write(Path(folder) / f"{name}_config.pkl", pickle.dumps(model.get_config()))
    _write(Path(folder) / f"{name}_weights.pkl", pickle.dumps(weights))


def load_model(name, folder, share_layers_with=None):
    """Load a network that `save_model` saved, with its weights bit for bit, not compiled.

    `share_layers_with` is a loaded network of which this one is a part. The two then have
    their layers in common, as when they were built: training the whole trains the part too.

    Raises UserError if a file is missing, or if the part's weights differ from the whole
    network's; `pickle.UnpicklingError` if a file asks for more than plain data; and Keras's own
    errors.
    """
    config_file = Path(folder) / f"{name}_config.pkl"
    weights_file = Path(folder) / f"{name}_weights.pkl"
    if not config_file.exists() or not weights_file.exists():
        raise UserError(f"{config_file} or its weights are missing: train, without --load")
    config = _read_plain(config_file)
    kind = "Sequential"
    if "input_layers" in config:  # which a Model's configuration has
        kind = "Model"
    # The post calls Model.from_config(config). This does the same in Keras's safe mode, which
    # refuses a network with code in its configuration, as a Lambda layer has. Keras asks for a
    # dictionary with the name of the class, too.
    saved = {"module": "keras", "class_name": kind, "config": config}
    model = keras.saving.deserialize_keras_object(saved, safe_mode=True)
    weights = []
    for dtype, shape, content in _read_plain(weights_file):
        weights.append(np.frombuffer(content, dtype).reshape(shape))
    model.set_weights(weights)
    _finalize_states(model)
    if share_layers_with is None:
        return model

    part = _with_layers_of(share_layers_with, model)
    for saved_array, array in zip(weights, part.get_weights(), strict=True):
        if not np.array_equal(saved_array, array):
            raise UserError(
                f"{weights_file} is not of the same run as the whole network: train again"
            )
    return part


def _finalize_states(model):
    """Let layers such as Normalization compute anew what they keep beside their weights.

    The three networks have none; it is for those that you may add.

    The weights of a Normalization are a mean and a variance. From these it makes two arrays, once,
    and computes with them. `set_weights` changes the weights, but not the arrays.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _finalize_states(layer)
        elif hasattr(layer, "finalize_state"):
            layer.finalize_state()


def _with_layers_of(whole, part):
    """Rebuild a part out of the whole network's layers, so that both use the same weights.

    Layers are the same if they have the same name.
    """
    layers = {layer.name: layer for layer in whole.layers}
    # A network can be a layer of another one: if you build the whole as
    # decoder(encoder(input_img)), the two parts are its layers.
    if part.name in layers:
        return layers[part.name]

    # clone_model builds a network like the part, and asks this function for each layer which
    # one to put in its place.
    def same_layer(layer):
        # The part's own input layer, which the whole network does not have, stays.
        return layers.get(layer.name, layer)

    return keras.models.clone_model(part, clone_function=same_layer)


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes.

    Pickle asks `find_class` for each class and function that a file names. Here it always
    refuses, so that a file can run no code.
    """

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is refused")


def _read_plain(path):
    """Return what `save_model` has pickled into a file."""
    with path.open("rb") as file:
        return _PlainUnpickler(file).load()


def _write(path, content):
    """Write bytes to a file; an earlier file stays until the new one is whole."""
    unfinished = path.with_suffix(".unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def print_difference(decoded_imgs, trained_imgs):
    """Print how far the images of the loaded parts are from those of the trained network.

    Both: (n, ...), in [0, 1]. Rounding makes differences below 1e-4.
    """
    difference = np.abs(decoded_imgs - trained_imgs).max()
    print(f"loaded decoder(encoder(x)) - trained autoencoder(x): at most {difference:.1g}")
    if difference > 1e-4:
        print(
            "So what was loaded is another network. Perhaps a layer of your own keeps something "
            "beside its weights, or adds noise after the training too; or two layers share a weight."
        )


# ---- 比较 · Comparing --------------------------------------------------------------------


def mean_loss(loss, x_test, images):
    """Return the mean loss of images against the digits x_test, a float.

    `loss`: one that `compile` takes, a name, a function, or a `keras.losses.Loss`; x_test: in
    [0, 1]; images: as many values. For a cross-entropy, Keras clips the images to
    [1e-7, 1 - 1e-7]; PCA's values often lie outside.
    """
    function = keras.losses.get(loss)
    losses = function(x_test, images.reshape(x_test.shape))
    return float(keras.ops.mean(losses))


def nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test):
    """Return the share of test digits, 0 to 1, whose nearest training code has their label.

    codes: (n, ...), by Euclidean distance; y: labels, (n,).
    """
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    return nearest.score(codes_test.reshape(len(codes_test), -1), y_test)


def print_table(x_test, rows):
    """Print how much codes compress the digits x_test, and how good they are.

    `rows`: a list; each row is a label, codes, (n, ...), the images that are made of them, as
    many values as x_test, and the `nearest_neighbour_accuracy`. The cross-entropy is the mean
    over all pixels, by the natural logarithm; MSE is the mean squared error; PSNR is the same
    error in decibels, 10 log10(1 / MSE): higher is better.

    The lower bound is the cross-entropy of the digits with themselves. It is not 0: a pixel
    p has -p log(p) - (1 - p) log(1 - p), which is 0 if it is black or white, but 0.69 if it
    is grey, p = 0.5.
    """
    count = f"{len(x_test):,} test digits"
    print(f"\n{count:20}  code  compression  cross-entropy      MSE      PSNR  1-NN accuracy")
    for label, codes, images, accuracy in rows:
        code_size = codes[0].size
        compression = x_test[0].size / code_size
        entropy = mean_loss("binary_crossentropy", x_test, images)
        mse = mean_loss("mse", x_test, images)
        psnr = -10 * np.log10(mse)
        print(f"{label:20}{code_size:6}{compression:12.1f}x{entropy:15.4f}", end="")
        print(f"{mse:9.5f}{psnr:7.2f} dB{accuracy:15.1%}")
    lower_bound = mean_loss("binary_crossentropy", x_test, x_test)
    print(f"{'lower bound':20}{lower_bound:34.4f}\n")


def print_loss_and_penalty(autoencoder, x_test, decoded_imgs):
    """Print the validation loss of a compiled network as loss + penalty, if it has a penalty.

    The loss is that of decoded_imgs against the digits x_test. The penalty is what all
    regularizers of the network add to it, in batches of 1,000.
    """
    penalty = 0
    for first in range(0, len(x_test), 1000):
        batch = x_test[first : first + 1000]
        # After this call, `losses` has what the regularizers give for this batch.
        autoencoder(batch)
        penalty += float(sum(autoencoder.losses)) * len(batch) / len(x_test)
    if penalty > 0:
        value = mean_loss(autoencoder.loss, x_test, decoded_imgs)
        name = _loss_name(autoencoder.loss)
        total = value + penalty
        print(f"{name} + penalty: {value:.4f} + {penalty:.4f} = {total:.4f}")


def _loss_name(loss):
    """Return what a loss is called that `compile` takes."""
    function = keras.losses.get(loss)
    if isinstance(function, keras.losses.Loss):
        return function.name
    return function.__name__


# ---- 画图 · Pictures ---------------------------------------------------------------------


def new_figure(path, width, height, layout="constrained"):
    """Return an empty figure, a Matplotlib Figure, of so many inches.

    Its window has the name of the file `path`, and fits a small screen. `layout`: one of
    Matplotlib's, https://matplotlib.org/stable/api/figure_api.html.
    """
    name = Path(path).name
    plt.close(name)  # of an earlier run
    dpi = min(100, 1300 / width, 620 / height)  # it fits a screen of 1366 x 768 pixels
    return plt.figure(name, (width, height), dpi, layout=layout)


def save_figure(figure, path):
    """Save a figure as a PNG file, whole or not at all, and say so."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=120)
    _write(Path(path), png.getvalue())
    print(f"Drawn: {path}")


def plot_rows(rows, n, path, scaled=()):
    """Draw rows of images below each other, as a figure and as a PNG file.

    `rows`: label to values, (m, ...), which `as_images` makes m images of; the first n of
    them are drawn. 0 is black and 1 is white. In a row whose label is in `scaled`, 0 is black
    and the row's largest value white; or, if it has values below 0, these are blue, 0 is
    white, and values above 0 are red.
    """
    width = 2 + 0.8 * n  # of which 2 inches are for the labels
    figure = new_figure(path, width, 0.8 * len(rows), layout="none")
    figure.subplots_adjust(left=2 / width, right=1, bottom=0, top=1, wspace=0.1, hspace=0.1)
    for row, (label, values) in enumerate(rows.items()):
        images = as_images(np.asarray(values[:n]))
        cmap = "gray"
        lowest = 0
        highest = 1
        if label in scaled:
            highest = np.nanmax(np.abs(images))
            if np.nanmin(images) < 0:
                cmap = "RdBu_r"
                lowest = -highest
        for column, image in enumerate(images):
            ax = figure.add_subplot(len(rows), n, row * n + column + 1)
            ax.imshow(image, cmap, vmin=lowest, vmax=highest, interpolation="nearest")
            ax.set(xticks=[], yticks=[], frame_on=False)
            if column == 0:
                ax.set_ylabel(label, rotation="horizontal", ha="right", va="center")
    save_figure(figure, path)


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


def plot_history(losses, loss, x_test, images, path):
    """Draw losses by epoch, beside some to compare with, as a figure and as a PNG file.

    `losses`: label to a list, one value an epoch, as `fit(...).history`; `images`: label to
    images, whose `mean_loss` against the digits x_test is drawn as a dashed line.
    """
    figure = new_figure(path, 7, 4)
    ax = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for label, values in losses.items():
        ax.plot(range(1, len(values) + 1), values, ".-", label=label)
    for i, (label, compared_imgs) in enumerate(images.items()):
        level = mean_loss(loss, x_test, compared_imgs)
        color = f"C{len(losses) + i}"  # Matplotlib's next one
        ax.axhline(level, color=color, ls="--", label=f"{label}: {level:.4f}")
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.grid(alpha=0.3)
    ax.legend()
    save_figure(figure, path)


def map_grid(codes, k=16):
    """Return all pairs of k first numbers and k second numbers, (k * k, 2), float32.

    codes: (n, 2). The numbers are k quantiles of the codes' first numbers, and k of their
    second ones, at equal steps. So the pairs lie on an even grid over the map that `plot_maps`
    draws, whose axes are ranks. They go row by row, from the map's upper left.
    """
    shares = (np.arange(k) + 0.5) / k
    first_numbers = np.quantile(codes[:, 0], shares)
    second_numbers = np.quantile(codes[:, 1], shares)
    x, y = np.meshgrid(first_numbers, second_numbers[::-1])
    return np.column_stack([x.ravel(), y.ravel()]).astype("float32")


def plot_maps(codes, grid_imgs, labels, path):
    """Draw digits by the ranks of their codes' two numbers, and a grid of decoded images.

    `codes`: title to codes, (n, 2); each gets a map. `labels`: the digits' labels, (n,). A
    digit stands where its numbers rank among all digits', from 0 to 1, so that the digits are
    spread over the whole map. `grid_imgs`: title to the images, (k * k, 784), that are
    decoded from `map_grid`.
    """
    figure = new_figure(path, 5.5 * len(codes), 11)
    for i, title in enumerate(codes):
        upper = figure.add_subplot(2, len(codes), i + 1)
        upper.set(title=title, aspect="equal", xlim=(0, 1), ylim=(0, 1))
        upper.set_xlabel("rank of the first number, from 0 to 1")
        upper.set_ylabel("rank of the second number, from 0 to 1")
        x_places = _places_by_rank(codes[title][:, 0], seed=0)
        y_places = _places_by_rank(codes[title][:, 1], seed=1)
        _scatter(upper, x_places, y_places, labels)

        lower = figure.add_subplot(2, len(codes), len(codes) + i + 1)
        lower.set_title("what is decoded from the codes there")
        images = as_images(grid_imgs[title])
        k = math.isqrt(len(images))
        strips = []
        for row in range(k):
            strips.append(np.hstack(images[row * k : (row + 1) * k]))
        lower.imshow(np.vstack(strips), "gray", vmin=0, vmax=1, extent=(0, 1, 0, 1))
    save_figure(figure, path)


def _places_by_rank(numbers, seed):
    """Return the rank of each of n numbers, as a place between 0 and 1.

    The smallest has 0.5 / n, the next one 1.5 / n, and so on, to (n - 0.5) / n. Many may be
    equal, such as 0; these are ranked at random, by the seed.
    """
    random_numbers = np.random.default_rng(seed).random(len(numbers))
    # lexsort sorts by its last key; where that is equal, by the one before. order[0] is the
    # place of the smallest number, which gets rank 0.
    order = np.lexsort([random_numbers, numbers])
    ranks = np.empty(len(numbers))
    ranks[order] = np.arange(len(numbers))
    return (ranks + 0.5) / len(numbers)


def _scatter(ax, x, y, labels):
    """Draw points, (n,), in the colours of their labels, and each label at its median."""
    for label in np.unique(labels):
        x_points = x[labels == label]
        y_points = y[labels == label]
        dots = ax.scatter(x_points, y_points, s=3)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        text = ax.text(np.median(x_points), np.median(y_points), str(label), bbox=box)
        text.set(color=dots.get_facecolor()[0], weight="bold", fontsize=18)
        text.set(ha="center", va="center")


def plot_model(model, path):
    """Draw a network's layers, with their shapes, into a PNG file, as Keras does.

    Keras's own `keras.utils.plot_model` needs Graphviz's program `dot`, which pip cannot
    install. The package graphviz-pure has a program that does the same.
    """
    # pip installs the program beside Python's own scripts; uv puts it on the PATH.
    places = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    program = shutil.which("graphviz-pure", path=places)
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    _write(Path(path), graph.create(prog=program, format="png"))
    print(f"Drawn: {path}")
