"""三个脚本共用的函数 · What the three scripts share: options, digits, saving, pictures, the table.

The networks are in the scripts. The functions here load digits, save and load networks, compare
with PCA, print and draw.
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
from matplotlib.ticker import MaxNLocator
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

FOLDER = Path(__file__).resolve().parent
MNIST = FOLDER / "models" / "data" / "mnist.npz"


# ---- 选项 · Options ----------------------------------------------------------------------


def parse_options(parser, epochs, batch_size):
    """加上三个脚本共用的选项，返回所有选项的值 · Add the options that all scripts have, and read all.

    选项的值来自命令行；在 Spyder、Jupyter 的单元格中是默认值，可以在那一格之后修改，例如 args.epochs = 5。
    `parser`: the script's `argparse.ArgumentParser`, with its own options; `epochs` and
    `batch_size`: two defaults. The values come from the command line. In cells of Spyder or
    Jupyter they are the defaults; change them after that cell, for instance by `args.epochs = 5`.
    """
    parser.add_argument("--epochs", type=int, default=epochs, help="轮数 · epochs (%(default)s)")
    parser.add_argument(
        "--batch-size", default=batch_size, type=int, help="批量大小 · batch size (%(default)s)"
    )
    parser.add_argument("--optimizer", default="adadelta", help="优化器 · optimizer (%(default)s)")
    parser.add_argument("--seed", default=0, type=int, help="随机种子 · random seed (%(default)s)")
    parser.add_argument("--data", default=MNIST, help="数据文件 · a file like mnist.npz")
    parser.add_argument("--models", default=FOLDER / "models", help="输出 · saved in (%(default)s)")
    parser.add_argument(
        "--load", action="store_true", help="加载上次的网络，不训练 · load, train nothing"
    )
    parser.add_argument("--no-show", action="store_true", help="不弹出窗口 · open no windows")
    return parser.parse_args(command_line(FOLDER))


def command_line(folder):
    """返回脚本名之后输入的词 · Return the words that were typed behind a script's name, a list.

    sys.argv[0] 是 Python 正在运行的程序，sys.argv[1:] 是它后面的词。程序在 `folder` 中，就是脚本；在单元格
    中，程序是 Jupyter 或 Spyder 自己的，后面的词与脚本无关，所以返回空列表。
    sys.argv[0] is the program that Python runs, sys.argv[1:] are the words behind it. In `folder`
    it is a script. In cells it is a program of Jupyter or Spyder; its words are not for the script.
    """
    program = Path(sys.argv[0]).resolve()
    if program.parent == folder:
        return sys.argv[1:]
    return []


# ---- 数据 · Digits -----------------------------------------------------------------------


def load_mnist(path=MNIST):
    """加载 MNIST，像素值缩放到 0–1 · Return MNIST, `(x_train, y_train), (x_test, y_test)`.

    x: float32 in [0, 1], (n, 28, 28); y: integers, (n,). 60,000 to train, and 10,000 to test.

    原文调用 mnist.load_data()，第一次会下载文件，在国内常常失败或卡住，所以文件随项目提供。
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
            raise ValueError(f"{path}: 图片应为 · images should be uint8, (n, 28, 28), 0–255")
    x_train = x_train.astype("float32") / 255
    x_test = x_test.astype("float32") / 255
    return (x_train, y_train), (x_test, y_test)


# ---- 训练 · Training ---------------------------------------------------------------------


def choose_jit_compile(model, epochs):
    """用 XLA 更快时返回 True，否则返回默认值 "auto" · Return what `compile` takes as `jit_compile`.

    XLA 是一个编译器：先花几秒钟，把网络编译成更快的程序。网络只有全连接层、训练 10 轮以上时，总时间更短，
    返回 True。有卷积层或 Dropout 时反而更慢，Windows 上的 TensorFlow 没有 XLA：由 Keras 决定（"auto"）。
    XLA is a compiler: it takes some seconds to make a faster program of the network. With dense
    layers alone, and 10 epochs or more, this pays: True. With convolutions or Dropout it does not,
    and on Windows TensorFlow has no XLA: "auto", the default of `compile`, lets Keras decide.

    如果在自己的损失函数中用 tf.print，就在 compile 中写 jit_compile="auto"：XLA 不支持它。
    For `tf.print` in a loss of your own, write jit_compile="auto": XLA cannot print.
    """
    only_dense = all(isinstance(layer, (InputLayer, Dense)) for layer in model.layers)
    if only_dense and epochs >= 10 and sys.platform != "win32":
        return True
    return "auto"


class StopOnCtrlC(keras.callbacks.Callback):
    """按 Ctrl-C 提前结束训练，脚本继续 · For `fit`: Ctrl-C ends the training early, and the script goes on.

    The steps that are being run, and a validation, still come. Before and after the training,
    Ctrl-C ends the script, as everywhere in Python.
    """

    def on_train_begin(self, logs=None):
        # SIGINT 就是 Ctrl-C：按下时，Python 调用 self.stop · at Ctrl-C, Python calls self.stop
        signal.signal(signal.SIGINT, self.stop)

    def stop(self, signal_number, frame):  # Python 传入两个参数，用不到 · Python passes both
        self.model.stop_training = True

    def on_train_end(self, logs=None):
        # 恢复 Python 的默认处理：Ctrl-C 退出脚本 · Python's own: Ctrl-C ends the script
        signal.signal(signal.SIGINT, signal.default_int_handler)


# ---- 保存和加载 · Saving and loading -----------------------------------------------------


class PlainUnpickler(pickle.Unpickler):
    """只读取列表、文本、数字等，不运行任何代码 · Reads lists, texts, numbers and bytes alone.

    pickle 文件可以要求调用函数（例如 `os.system`）或类，读取时就会调用。所以别人的文件可能运行任何代码。
    A pickle file can have functions and classes called when it is read: so a file from others could
    run anything.
    """

    def find_class(self, module, name):
        # 文件中每有一个函数名或类名，pickle 就调用这里 · pickle calls this for each of their names
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is refused")


def _read(path):
    """读 pickle 文件 · Return what a pickle file has, if that is plain data."""
    with path.open("rb") as file:
        return PlainUnpickler(file).load()


def _write(path, data):
    """写完整个文件之后，才替换原有的文件 · Pickle data; an earlier file stays until the new one is whole."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(pickle.dumps(data))
    unfinished.replace(path)


def save_model(model, name, folder):
    """把网络的结构和权重保存成两个 pickle 文件 · Save a network in two pickle files, as the post does.

    `<name>_config.pkl` has `model.get_config()`, the layers, and whether it is a Sequential model;
    `<name>_weights.pkl` has `model.get_weights()`. (Today one mostly writes
    `model.save("name.keras")`.)

    数组的 pickle 中有 NumPy 的函数名，PlainUnpickler 会拒绝，所以只保存数组的类型、形状和字节。
    The pickle of an array names functions of NumPy, which PlainUnpickler refuses. So its type, its
    shape and its bytes are saved instead.

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

    加载的网络没有编译，可以直接使用。
    It is not compiled, and can be used at once. Raises FileNotFoundError if a file is missing,
    `pickle.UnpicklingError` if one asks for more than plain data, KeyError if it was saved from a
    class of your own, and Keras's own errors.
    """
    config = _read(Path(folder) / f"{name}_config.pkl")
    # keras.Model(…) 建立的网络，类名是 Functional · the class of what keras.Model(...) builds
    classes = {"Functional": keras.Model, "Sequential": keras.Sequential}
    model_class = classes[config["class"]]
    model = model_class.from_config(config["config"])
    weights = []
    for dtype, shape, content in _read(Path(folder) / f"{name}_weights.pkl"):
        array = np.frombuffer(content, dtype)  # 字节变回数 · numbers from bytes
        weights.append(array.reshape(shape))
    model.set_weights(weights)
    return model


# ---- 比较 · Comparing --------------------------------------------------------------------


def pca(x_train, x_test, k):
    """主成分分析（PCA），不用神经网络，用来比较 · Compress images by PCA, to compare networks with.

    它从训练图片学习：怎样把图片线性地变成 k 个数（编码），又怎样由编码线性地重建图片。
    From x_train, (n, ...), it learns how to make k numbers of an image, the code, and an image of a
    code, both linearly. Returns three arrays: the codes of x_train and of x_test, (n, k), and the
    images that are decoded from the codes of x_test, in the shape of x_test. If there are fewer
    than k pixels or training images, a code has only as many numbers.

    重建的像素裁剪到训练图片的取值范围，即 0–1；网络的 sigmoid 也不会超出它。
    The images are clipped to the range of x_train, 0 to 1, which a network's sigmoid never leaves.
    """
    flat_train = x_train.reshape(len(x_train), -1)
    flat_test = x_test.reshape(len(x_test), -1)
    largest_k = min(flat_train.shape)
    components = PCA(min(k, largest_k), random_state=0)
    codes_train = components.fit_transform(flat_train)
    codes_test = components.transform(flat_test)
    images = components.inverse_transform(codes_test)
    clipped = images.clip(x_train.min(), x_train.max())
    return codes_train, codes_test, clipped.reshape(x_test.shape)


def cross_entropy(x, images):
    """计算二元交叉熵 · Return the mean binary cross-entropy of images with x as the target.

    Both have values in [0, 1]; `images` may have another shape, such as (n, 784) for (n, 28, 28).
    Where images are 0 or 1, Keras takes 1e-7 or 1 - 1e-7, so that no logarithm is infinite.
    """
    losses = keras.losses.binary_crossentropy(x, images.reshape(x.shape))
    return float(keras.ops.mean(losses))


def nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test):
    """计算最近邻的准确率 · Return the accuracy, 0 to 1, of telling digits apart by their codes.

    A test digit gets the label of the training digit with the nearest code (1-NN).
    codes: (n, ...), by Euclidean distance; y: labels, (n,).
    """
    nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    nearest.fit(codes_train.reshape(len(codes_train), -1), y_train)
    return nearest.score(codes_test.reshape(len(codes_test), -1), y_test)


def print_table(x_test, y_train, y_test, methods):
    """打印表格：编码压缩了多少，好不好 · Print how much codes compress the digits, and how good they are.

    `methods`: a list of tuples: a label, the codes of the training digits and of the test digits,
    (n, ...), and the images that are decoded from the latter, as many values as x_test, in [0, 1].

    - compression: 压缩比 · pixels of an image / numbers of a code
    - cross-entropy: 交叉熵，所有像素的平均 · the mean over all pixels, by the natural logarithm
    - MSE: 均方误差 · the mean squared error
    - PSNR: 峰值信噪比，由 MSE 换算，越大越好 · 10 log10(1 / MSE), in decibels: higher is better
    - 1-NN accuracy: 最近邻的准确率 · see `nearest_neighbour_accuracy`
    - lower bound: 重建与原图完全相同时的交叉熵 · the cross-entropy of a perfect copy. It is not 0:
      a grey pixel of value p adds -p log(p) - (1 - p) log(1 - p), such as 0.69 at 0.5
    """
    title = f"{len(x_test):,} test digits"
    print(f"\n{title:20}  code  compression  cross-entropy      MSE      PSNR  1-NN accuracy")
    for label, codes_train, codes_test, images in methods:
        code_size = codes_test[0].size
        compression = x_test[0].size / code_size
        entropy = cross_entropy(x_test, images)
        mse = np.mean((images.reshape(x_test.shape) - x_test) ** 2)
        psnr = -10 * np.log10(mse)
        accuracy = nearest_neighbour_accuracy(codes_train, y_train, codes_test, y_test)
        print(f"{label:20}{code_size:6}{compression:12.1f}x{entropy:15.4f}", end="")
        print(f"{mse:9.5f}{psnr:7.2f} dB{accuracy:15.1%}")
    bound = cross_entropy(x_test, x_test)
    print(f"{'lower bound':20}{'':6}{'':13}{bound:15.4f}\n")


# ---- 画图 · Pictures ---------------------------------------------------------------------


def new_figure(path, width, height):
    """新建一幅图 · Return an empty figure, a Matplotlib Figure, of so many inches.

    Its window has the name of the file `path`. An inch has 80 pixels there: the 14 rows of
    layers.png fit a laptop's screen.
    """
    name = Path(path).name
    plt.close(name)  # 上一次运行的 · the window of an earlier run
    return plt.figure(name, figsize=(width, height), dpi=80)


def save_figure(figure, path):
    """把图存成 PNG 文件 · Save a figure as a PNG file, and say so."""
    figure.savefig(path, dpi=160)
    print(f"Drawn: {path}")


def plot_rows(rows, n, path, red_blue=()):
    """每个标签画一行图片 · Draw rows of images below each other, as a figure and as a PNG file.

    `rows` 是字典，从标签到图片或编码，每行画前 n 个；0 为黑色，1 为白色。`red_blue` 中的行，0 为白色，正值
    为红色，负值为蓝色，颜色各按一行中离 0 最远的值；正方形中没有数的位置为黄色。
    `rows`: a dictionary of labels and values, (m, ...): images, or codes, of which `as_images` makes
    squares; where a square has more places than a code has numbers, these are yellow. The first n of
    a row are drawn; 0 is black and 1 is white. `red_blue`: a list of labels; in these rows 0 is
    white, what is above it red, what is below blue. Each of these rows has a scale of its own: its
    value farthest from 0 has the deepest colour.

    Raises ValueError if a label of `red_blue` is not one of `rows`.
    """
    for label in red_blue:
        if label not in rows:
            raise ValueError(f"red_blue：没有这一行 · there is no row {label!r} in {list(rows)}")
    width = 2 + 0.6 * n  # 左边 2 英寸写标签 · 2 inches are for the labels
    figure = new_figure(path, width, 0.6 * len(rows))
    figure.subplots_adjust(left=2 / width, right=0.99, bottom=0.02, top=0.98)
    for row, (label, values) in enumerate(rows.items()):
        images = as_images(np.asarray(values[:n]))
        colours = "gray"
        lowest = 0
        highest = 1
        if label in red_blue:
            colours = "RdBu_r"
            # 加一点，全为 0 时 0 也是白色 · a bit more, so that 0 is white if all are 0
            highest = np.nanmax(np.abs(images)) + 1e-9
            lowest = -highest
        for column, image in enumerate(images):
            ax = figure.add_subplot(len(rows), n, row * n + column + 1)
            ax.imshow(image, colours, vmin=lowest, vmax=highest, interpolation="nearest")
            ax.set(xticks=[], yticks=[], facecolor="khaki")  # 没有值处露出底色 · seen at no value
            if column == 0:
                ax.set_ylabel(label, rotation="horizontal", ha="right", va="center")
    save_figure(figure, path)


def as_images(values):
    """把编码或展平的图片变成图像 · Return values, (n, ...), as n images, (n, height, width).

    图片不变；特征图拼成一张；展平的编码或图片，排成放得下它们的最小的正方形。
    (n, height, width), images: as they are.
    (n, height, width, k), feature maps: tiled by `tile_maps`.
    (n, k), codes or flat digits: row by row in the smallest square that holds k numbers. 16 become
    an image of 4 x 4, and 784 one of 28 x 28; places left over are NaN, no value.
    """
    if values.ndim == 3:
        return values
    if values.ndim == 4:
        return tile_maps(values)
    n = len(values)
    k = values.shape[1]
    side = int(np.ceil(np.sqrt(k)))
    images = np.full((n, side * side), np.nan)
    images[:, :k] = values
    return images.reshape(n, side, side)


def tile_maps(maps):
    """把 k 个特征图拼成一张图 · Lay k feature maps out side by side, and below each other.

    例如 8 个特征图排成 3 行 3 列，中间有线；线和空位是 NaN，即没有值。
    Takes (n, height, width, k), and returns n images, (n, ..., ...): 8 maps stand in 3 rows of 3,
    with lines between. The lines, and places left over, are NaN, no value.
    """
    # (0, 1)：前面不加，后面加一行或一列 · a line below each map, and to its right: 0 before, 1 after
    framed = np.pad(maps, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=np.nan)
    n, height, width, k = framed.shape
    side = int(np.ceil(np.sqrt(k)))
    images = np.full((n, side * height, side * width), np.nan)  # 空的 · empty
    for i in range(k):  # 第 i 个特征图放在第几行、第几列 · the row and the column of map i
        row = i // side
        column = i % side
        top = row * height
        left = column * width
        images[:, top : top + height, left : left + width] = framed[:, :, :, i]
    return images[:, :-1, :-1]  # 去掉最外侧的线 · without the outermost lines


def plot_history(losses, path):
    """画损失曲线 · Draw losses by epoch, as a figure and as a PNG file.

    `losses`: a dictionary of labels and lists, one value an epoch, as `fit(...).history` is.
    """
    figure = new_figure(path, 7, 4)
    ax = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for label, values in losses.items():
        ax.plot(range(1, len(values) + 1), values, ".-", label=label)
    # 轮数是整数 · epochs are whole
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(alpha=0.3)
    ax.legend()
    save_figure(figure, path)


def plot_model(model, path):
    """画网络的结构 · Draw a network's layers, with their shapes, into a PNG file.

    Keras 自己的 plot_model 要用 Graphviz 的程序 `dot`，不能用 pip 安装；graphviz-pure 包有同样的程序。
    Keras's own `keras.utils.plot_model` needs `dot`, a program of Graphviz, which pip cannot
    install. Here the package graphviz-pure has one that does the same.
    """
    # 找到这个程序：pip 装在 Python 的 scripts 文件夹，uv 装在 PATH 中 · where pip and uv put it
    folders = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    program = shutil.which("graphviz-pure", path=folders)
    graph = keras.utils.model_to_dot(model, show_shapes=True, dpi=96)  # pydot 的对象 · of pydot
    graph.write(path, prog=program, format="png")
    print(f"Drawn: {path}")
