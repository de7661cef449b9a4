"""三个脚本共用的函数 · What the three scripts share: options, digits, saving, pictures, the table.

The networks and the results are in the scripts. The functions here load, save, print and draw
what they are handed.
"""

import os
import pickle
import shutil
import signal
import sys
import sysconfig
from pathlib import Path

# So that TensorFlow prints few messages. It reads this when it is imported, by Keras, which is why
# the scripts import common first.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Dense, InputLayer
from sklearn.neighbors import KNeighborsClassifier

FOLDER = Path(__file__).resolve().parent
MNIST = FOLDER / "models" / "data" / "mnist.npz"


# ---- 选项 · Options ----------------------------------------------------------------------


def parse_options(parser):
    """加上三个脚本共用的选项，返回所有选项的值 · Add the options that all scripts have, and read all.

    `parser`: the script's `argparse.ArgumentParser`, with its own options. The values come from
    the command line. In cells of Spyder or Jupyter they are the defaults; change them after that
    cell, for instance by `args.epochs = 5`.
    """
    add = parser.add_argument
    add("--optimizer", default="adadelta", help="优化器 · any of Keras (%(default)s)")
    add("--seed", type=int, default=0, help="随机种子 · random seed (%(default)s)")
    add("--data", default=str(MNIST), help="数据文件，格式同 mnist.npz · a file like mnist.npz")
    add("--models", default=str(FOLDER / "models"), help="输出文件夹 · where to save (%(default)s)")
    add("--load", action="store_true", help="不训练，加载上次的网络 · load the last networks")
    add("--no-show", action="store_true", help="不弹出窗口 · only save the pictures")
    return parser.parse_args(command_line(FOLDER))


def command_line(folder):
    """Return the words on the command line, a list, if Python runs a script of this folder.

    In cells, Python runs a program of Jupyter or Spyder, whose words are not for the script: the
    list is empty.
    """
    if Path(sys.argv[0]).resolve().parent == folder:
        return sys.argv[1:]
    return []


# ---- 数据 · Digits -----------------------------------------------------------------------


def load_mnist(path=MNIST):
    """加载 MNIST，像素值缩放到 0–1 · Return MNIST, `(x_train, y_train), (x_test, y_test)`.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,). 60,000 to train, and 10,000 to test.

    `path`: a file as `keras.datasets.mnist.load_data()` has it, with x uint8 from 0 to 255. The
    post makes that call, which first downloads the file; behind many firewalls this fails or
    hangs. So the file comes with this project. Source: https://keras.io/api/datasets/mnist/

    Raises ValueError if x are no such images, and NumPy's errors if the file is another one.
    """
    with np.load(path) as file:
        x_train = file["x_train"]
        y_train = file["y_train"]
        x_test = file["x_test"]
        y_test = file["y_test"]
    for x in (x_train, x_test):
        if x.dtype != np.uint8 or x.shape[1:] != (28, 28) or x.max() <= 1:
            found = f"{x.dtype}, {x.shape}, max {x.max()}"
            raise ValueError(f"{path}: {found}; 应为 · should be uint8, (n, 28, 28), 0–255")
    x_train = x_train.astype("float32") / 255
    x_test = x_test.astype("float32") / 255
    return (x_train, y_train), (x_test, y_test)


# ---- 训练 · Training ---------------------------------------------------------------------


def set_seed(seed):
    """Set the seed of all random numbers, a whole number from 0 to 2**32 - 1.

    On the same CPU, with the same versions, the same seed repeats a training exactly; on a GPU
    it may not.
    """
    keras.utils.set_random_seed(seed)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # With this "optimization" TensorFlow rewrites sums, not always in the same way, so that
        # their rounding, and then the training, differs from run to run.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def choose_jit_compile(model, epochs):
    """Return what `compile` takes as `jit_compile`: True if XLA makes the training faster.

    XLA, TensorFlow's compiler, makes dense layers twice as fast. It takes some seconds at first,
    which pay from 10 epochs on. Convolutions and Dropout it slows down: then Keras chooses ("auto").
    With XLA a `tf.print` in a loss of your own fails: write `jit_compile=False`.
    """
    all_dense = all(isinstance(layer, (InputLayer, Dense)) for layer in model.layers)
    if keras.config.backend() == "tensorflow" and all_dense and epochs >= 10:
        import tensorflow as tf

        return tf.test.is_built_with_xla()  # False on Windows
    return "auto"


class StopOnCtrlC(keras.callbacks.Callback):
    """按 Ctrl-C 提前结束训练 · For `fit`: Ctrl-C ends it early, and what was learnt stays.

    `fit` returns after the steps that are being run, and a validation. A second Ctrl-C is Python's
    own and ends the script, and so is any after the training. With `| tee log` behind the command,
    tee has to live on too: `| tee -i log`.
    """

    def on_train_begin(self, logs=None):
        signal.signal(signal.SIGINT, self.stop)  # SIGINT is what Ctrl-C sends

    def stop(self, number, frame):
        self.model.stop_training = True
        self.on_train_end()

    def on_train_end(self, logs=None):
        signal.signal(signal.SIGINT, signal.default_int_handler)


# ---- 保存和加载 · Saving and loading -----------------------------------------------------


def save_model(model, name, folder):
    """把网络的结构和权重保存成两个 pickle 文件 · Save a network in two pickle files, as the post does.

    A pickle of classes can run any code when it is loaded. So these have plain data alone:
    containers, texts, numbers and bytes. `<name>_config.pkl` has the name of the class and
    `model.get_config()`; `<name>_weights.pkl` a list of `(dtype, shape, bytes)`, which are
    `model.get_weights()`.

    Raises ValueError if a weight is not finite; then the earlier files stay.
    """
    config = {"class": type(model).__name__, "config": model.get_config()}
    weights = []
    for array in model.get_weights():
        if not np.isfinite(array).all():
            raise ValueError("训练发散，没有保存 · not saved, as the training diverged")
        weights.append((array.dtype.str, array.shape, array.tobytes()))
    _write(Path(folder) / f"{name}_config.pkl", config)
    _write(Path(folder) / f"{name}_weights.pkl", weights)


def load_model(name, folder):
    """加载 save_model 保存的网络 · Load a network that `save_model` saved, weights bit for bit.

    It is not compiled. Raises FileNotFoundError if a file is missing, `pickle.UnpicklingError` if
    one asks for more than plain data, KeyError if it was saved from a class of your own, and Keras's
    own errors.
    """
    config = _read(Path(folder) / f"{name}_config.pkl")
    weights = []
    for dtype, shape, content in _read(Path(folder) / f"{name}_weights.pkl"):
        weights.append(np.frombuffer(content, dtype).reshape(shape))
    classes = {"Functional": keras.Model, "Sequential": keras.Sequential}
    model = classes[config["class"]].from_config(config["config"])
    model.set_weights(weights)
    return model


def _write(path, data):
    """Pickle plain data into a file; an earlier file stays until the new one is whole."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(pickle.dumps(data))
    unfinished.replace(path)


class PlainUnpickler(pickle.Unpickler):
    """Reads containers, texts, numbers and bytes.

    Pickle asks `find_class` for each class and function that a file names. Here it always
    refuses, so that a file can run no code.
    """

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is refused")


def _read(path):
    """Return what `_write` has pickled into a file."""
    with path.open("rb") as file:
        return PlainUnpickler(file).load()


# ---- 比较 · Comparing --------------------------------------------------------------------


def cross_entropy(x, images):
    """Return the mean binary cross-entropy of images against x, as many values in [0, 1]."""
    losses = keras.losses.binary_crossentropy(x, images.reshape(x.shape))
    return float(keras.ops.mean(losses))


def nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test):
    """Return the share of test digits, 0 to 1, whose nearest training code has their label.

    codes: (n, ...), by Euclidean distance; y: labels, (n,).
    """
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    return nearest.score(codes_test.reshape(len(codes_test), -1), y_test)


def print_table(x_test, y_train, y_test, rows):
    """Print how much codes compress the digits x_test, and how good they are.

    `rows`: a list; each row is a label, the codes of the training digits and of the test digits,
    (n, ...), and the images that are made of the latter, as many values as x_test, in [0, 1]. The
    cross-entropy is the mean over all pixels, by the natural logarithm; MSE is the mean squared
    error; PSNR is the same in decibels, 10 log10(1 / MSE): higher is better. The accuracy is the
    `nearest_neighbour_accuracy`.

    The lower bound is the cross-entropy of the digits with themselves. It is not 0: a pixel
    p has -p log(p) - (1 - p) log(1 - p), which is 0 if it is black or white, but 0.69 if it
    is grey, p = 0.5.
    """
    title = f"{len(x_test):,} test digits"
    print(f"\n{title:20}  code  compression  cross-entropy      MSE      PSNR  1-NN accuracy")
    for label, codes_train, codes_test, images in rows:
        code_size = codes_test[0].size
        compression = x_test[0].size / code_size
        entropy = cross_entropy(x_test, images)
        mse = np.mean((images.reshape(x_test.shape) - x_test) ** 2)
        psnr = -10 * np.log10(mse)
        accuracy = nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test)
        print(f"{label:20}{code_size:6}{compression:12.1f}x{entropy:15.4f}", end="")
        print(f"{mse:9.5f}{psnr:7.2f} dB{accuracy:15.1%}")
    print(f"{'lower bound':20}{cross_entropy(x_test, x_test):34.4f}\n")


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
    """Save a figure as a PNG file, and say so."""
    figure.savefig(path, dpi=120)
    print(f"Drawn: {path}")


def plot_rows(rows, n, path, red_blue=()):
    """每个标签画一行图片 · Draw rows of images below each other, as a figure and as a PNG file.

    `rows`: label to values, (m, ...), which `as_images` makes m images of; the first n of them
    are drawn. 0 is black and 1 is white. In a row whose label is in `red_blue`, 0 is white, values
    above it are red, those below blue, the deeper the farther from 0; the deepest colour is the
    value of that row that is farthest from 0. Places without a value are yellow.
    """
    width = 2 + 0.8 * n  # of which 2 inches are for the labels
    figure = new_figure(path, width, 0.8 * len(rows), layout="none")
    figure.subplots_adjust(
        left=2 / width, right=0.99, bottom=0.02, top=0.98, wspace=0.1, hspace=0.1
    )
    for row, (label, values) in enumerate(rows.items()):
        images = as_images(np.asarray(values[:n]))
        colours = "gray"
        lowest = 0
        highest = 1
        if label in red_blue:
            colours = "RdBu_r"
            highest = max(np.nanmax(np.abs(images)), 1e-9)  # never 0, so that 0 is white
            lowest = -highest
        colours_and_yellow = plt.get_cmap(colours).with_extremes(bad="khaki")
        for column, image in enumerate(images):
            ax = figure.add_subplot(len(rows), n, row * n + column + 1)
            ax.imshow(image, colours_and_yellow, vmin=lowest, vmax=highest, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
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

    Places left over and lines are NaN, no value.
    """
    if values.ndim == 3:
        return values
    n = len(values)
    k = values.shape[-1]
    side = int(np.ceil(np.sqrt(k)))
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


def plot_history(losses, path):
    """画损失曲线 · Draw losses by epoch, as a figure and as a PNG file.

    `losses`: label to a list, one value an epoch, as `fit(...).history` is.
    """
    figure = new_figure(path, 7, 4)
    ax = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for label, values in losses.items():
        ax.plot(range(1, len(values) + 1), values, ".-", label=label)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.grid(alpha=0.3)
    ax.legend()
    save_figure(figure, path)


def plot_model(model, path):
    """画网络的结构 · Draw a network's layers, with their shapes, into a PNG file, as Keras does.

    Keras's own `keras.utils.plot_model` needs Graphviz's program `dot`, which pip cannot install.
    The package graphviz-pure has a program that does the same.
    """
    # pip installs the program beside Python's own scripts; uv puts it on the PATH.
    folders = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    program = shutil.which("graphviz-pure", path=folders)
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)
    graph.write(path, prog=program, format="png")
    print(f"Drawn: {path}")
