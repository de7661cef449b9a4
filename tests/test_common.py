"""The functions of common: what they load, save, refuse and draw."""

import common

import errno
import hashlib
import os
import pickle
import signal
import sys
import sysconfig
import warnings
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import ROOT, drawn_rows
from matplotlib.colors import to_rgba
from matplotlib.image import imread

IMAGES = np.full((5, 28, 28), 255, "uint8")
LABELS = np.arange(5, dtype="uint8")
MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


# ---- Options and digits ---------------------------------------------------------------------


def test_words_on_the_command_line(monkeypatch, tmp_path):
    """They count for a script in the project's folder, also under another name, and no other."""
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "kernel.py"), "-f", "connection.json"])
    assert common.command_line(ROOT) == []
    monkeypatch.setattr(sys, "argv", [str(ROOT / "my_copy.py"), "--epochs", "5"])
    assert common.command_line(ROOT) == ["--epochs", "5"]
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["my_copy.py", "--epochs", "5"])
    assert common.command_line(ROOT) == ["--epochs", "5"]


def idx(array):
    """An array of uint8 as an IDX file has it: its type, its axes' lengths, its bytes."""
    head = bytes([0, 0, 8, array.ndim])
    for length in array.shape:
        head += length.to_bytes(4, "big")
    return head + array.tobytes()


def test_it_is_the_whole_of_mnist_scaled_and_in_its_order(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert x_train.dtype == x_test.dtype == np.float32
    with np.load(common.MNIST) as file:
        for name, md5 in MD5.items():
            assert hashlib.md5(idx(file[name])).hexdigest() == md5, name
        for name, x in (("x_train", x_train), ("x_test", x_test)):
            np.testing.assert_allclose(x[:100] * 255, file[name][:100], atol=1e-4)
    assert (y_train[:5].tolist(), y_test[:3].tolist()) == ([5, 0, 4, 1, 9], [7, 2, 1])


@pytest.mark.parametrize("name", ["x_train", "x_test"])
@pytest.mark.parametrize(
    "images", [IMAGES / np.float32(255), IMAGES // 255, IMAGES[:, :14], IMAGES.reshape(5, 784)]
)
def test_digits_that_would_be_scaled_or_cut_wrongly_are_refused(name, images, tmp_path):
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}
    arrays[name] = images
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(ValueError, match=r"own\.npz.*uint8"):
        common.load_mnist(tmp_path / "own.npz")


def test_file_of_one_s_own(tmp_path):
    """Labels may be any, as of letters."""
    labels = np.array([1, 2, 25, 26, 26], "uint8")
    path = tmp_path / "own.npz"
    np.savez(path, x_train=IMAGES // 2, y_train=labels, x_test=IMAGES, y_test=LABELS)
    (x_train, y_train), (x_test, y_test) = common.load_mnist(path)
    assert x_train.max() == np.float32(127 / 255)
    assert x_test.min() == 1
    assert y_train.tolist() == labels.tolist()
    assert y_test.tolist() == LABELS.tolist()


# ---- Training -------------------------------------------------------------------------------


def test_xla_is_chosen_where_it_pays():
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert common.choose_jit_compile(dense, 10) is (sys.platform != "win32")
    assert common.choose_jit_compile(dense, 9) == "auto"
    dropout = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])
    assert common.choose_jit_compile(dropout, 10) == "auto"


class CtrlC(keras.callbacks.Callback):
    """Presses Ctrl-C at the end of the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_stops_a_training_and_after_it_is_python_s():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", run_eagerly=True)
    x = np.zeros((2, 1))
    stop = common.StopOnCtrlC()
    for _ in range(2):
        history = model.fit(x, x, epochs=9, verbose=0, callbacks=[CtrlC(), stop])
        assert history.epoch == [0, 1]
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


# ---- Saving and loading ---------------------------------------------------------------------


def network(size=2):
    """A small network."""
    x = keras.Input((784,))
    return keras.Model(x, keras.layers.Dense(size, "relu")(x))


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """The working folder, with a small saved network, named any."""
    common.save_model(network(), "any", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    """The bytes of each file in a folder."""
    return {path: path.read_bytes() for path in folder.iterdir()}


def test_sequential_network_and_one_within_another(tmp_path):
    """They are loaded as what they were; and so is a network of networks."""
    part = keras.Sequential([keras.Input((784,)), keras.layers.Dense(3)])
    x = keras.Input((784,))
    for model in (part, keras.Model(x, part(x))):
        common.save_model(model, "any", str(tmp_path))
        loaded = common.load_model("any", str(tmp_path))
        assert isinstance(loaded, keras.Sequential) == isinstance(model, keras.Sequential)
        ones = np.ones((1, 784), "float32")
        np.testing.assert_array_equal(loaded(ones), model(ones))


class Hostile:
    """Pickles to a call, which makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_hostile_pickle(part, saved):
    (saved / f"any_{part}.pkl").write_bytes(pickle.dumps([Hostile()]))
    with pytest.raises(pickle.UnpicklingError, match=r"asks for \w+\.mkdir, which is refused"):
        common.load_model("any", "")
    assert not Path("ran").exists()


def test_hostile_configuration(saved):
    """Keras refuses code in it, as a layer and as an activation, without being asked."""
    x = keras.Input((784,))
    path = saved / "any_config.pkl"
    plain = pickle.loads(path.read_bytes())
    with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
        activation = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
        common.save_model(keras.Model(x, keras.layers.Lambda(lambda x: x)(x)), "layer", "")
    plain["config"]["layers"][1]["config"]["activation"] = activation
    path.write_bytes(pickle.dumps(plain))
    for name in ("any", "layer"):
        with pytest.raises((TypeError, ValueError), match="safe_mode"):
            common.load_model(name, "")
    assert not Path("ran").exists()


@pytest.mark.parametrize("part", ["config", "weights"])
def test_file_that_is_missing(part, saved):
    (saved / f"any_{part}.pkl").unlink()
    with pytest.raises(FileNotFoundError, match=f"any_{part}.pkl"):
        common.load_model("any", "")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(bad, saved):
    before = contents(saved)
    model = network()
    kernel, bias = model.get_weights()
    kernel[3, 1] = bad  # one of many
    model.set_weights([kernel, bias])
    with pytest.raises(ValueError, match="diverged"):
        common.save_model(model, "any", saved)
    assert contents(saved) == before
    assert len(before) == 2


def test_disk_that_is_full_leaves_the_earlier_files(saved, monkeypatch):
    before = contents(saved)
    write_bytes = Path.write_bytes

    def write_half(path, data):
        write_bytes(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_half)
        with pytest.raises(OSError, match="No space left"):
            common.save_model(network(3), "any", "")
    after = contents(saved)
    assert {path: after[path] for path in before} == before


# ---- Pictures -------------------------------------------------------------------------------


def test_colours_of_a_picture(tmp_path):
    """Grey from 0 to 1; or red above 0 and blue below, as deep as the row's largest value."""
    rows = {
        "digits": np.full((3, 28, 28), 0.5),
        "code": np.array([[0.0, 2.0]]),
        "signed": np.array([[-3.0, 1.0]]),
    }
    for _ in range(2):  # the second one is not drawn over the first one
        common.plot_rows(rows, 2, tmp_path / "a.png", red_blue=["code", "signed"])
    figure = plt.figure("a.png")
    images = [axes.images[0] for axes in figure.axes]
    limits = [image.get_clim() for image in images]
    np.testing.assert_allclose(limits, [(0, 1), (0, 1), (-2, 2), (-3, 3)], atol=1e-6)
    names = [image.get_cmap().name for image in images]
    assert names == ["gray", "gray", "RdBu_r", "RdBu_r"]
    np.testing.assert_allclose(drawn_rows(figure)["digits"][1], 0.5)


def test_a_row_of_another_name_is_not_drawn_in_grey_without_a_word(tmp_path):
    rows = {"code of 3": np.zeros((1, 3))}
    with pytest.raises(ValueError, match="there is no row 'code'"):
        common.plot_rows(rows, 1, tmp_path / "a.png", red_blue=["code"])
    assert not (tmp_path / "a.png").exists()


def test_zeros_are_white_and_places_without_a_value_have_a_colour_of_their_own(tmp_path):
    common.plot_rows({"code": np.zeros((1, 3))}, 1, tmp_path / "a.png", red_blue=["code"])
    (axes,) = plt.figure("a.png").axes
    (image,) = axes.images
    colours = image.to_rgba(image.get_array())
    assert colours[0, 0, :3].min() > 0.95
    assert colours[1, 1, 3] == 0  # transparent: what is behind is seen
    assert axes.get_facecolor() == to_rgba("khaki")


def test_picture_as_it_is_seen(tmp_path):
    """The first row is above, a digit stands upright, with sharp pixels, labels and gaps."""
    digit = np.zeros((28, 28))
    digit[:14, :14] = 1  # the upper left
    rows = {"first": np.array([digit, digit]), "second": np.zeros((2, 28, 28))}
    common.plot_rows(rows, 2, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3].mean(axis=2)
    height = len(picture)
    assert height > 1.2 * 150  # two rows of 0.6 inches, sharp enough to be looked at
    black = (picture < 0.1).mean(axis=0) > 0.3  # of columns: those with images
    left = np.flatnonzero(black)[0]
    assert picture[height // 8, left + 5] > 0.9
    assert picture[height // 8 * 3, left + 5] < 0.1  # the lower part of the first row
    assert picture[height // 4 * 3, left + 5] < 0.1  # the second row
    assert picture[:, :left].min() < 0.5  # the labels
    right = picture[:, left:]
    assert ((right > 0.99).all(axis=0)).any()  # a gap between the two
    middle = picture[height // 8, left + 5 : left + 80]
    assert ((middle > 0.95) | (middle < 0.05)).mean() > 0.95  # pixels are not blurred


def test_a_reader_s_own_setting_holds(tmp_path):
    """As one sets SimHei, for Chinese labels."""
    with plt.rc_context({"font.sans-serif": ["DejaVu Serif"]}):
        common.plot_rows({"a": np.zeros((1, 784))}, 1, tmp_path / "a.png")
        label = plt.figure("a.png").axes[0].yaxis.label
        assert label.get_fontname() == "DejaVu Serif"


def test_a_large_picture_fits_a_small_screen(tmp_path):
    common.plot_rows({i: np.zeros((1, 784)) for i in range(14)}, 10, tmp_path / "a.png")
    width, height = plt.figure("a.png").get_size_inches() * plt.figure("a.png").dpi
    assert (width <= 1366) and (height <= 700)


def test_model_is_drawn_where_there_is_no_graphviz(tmp_path, monkeypatch):
    """pip puts the program beside Python's own; uv on the PATH."""
    common.plot_model(network(), tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    monkeypatch.setenv("PATH", "")
    common.plot_model(network(), tmp_path / "b.png")
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: "nowhere")
    common.plot_model(network(), tmp_path / "c.png")
    for name in ("b.png", "c.png"):
        assert len((tmp_path / name).read_bytes()) == pytest.approx(len(before), rel=0.1)
        assert imread(tmp_path / name).shape[0] > 2 * 100  # two layers, with their shapes


@pytest.mark.parametrize("epochs", [1, 2, 50])
def test_epochs_are_whole_numbers(epochs, tmp_path):
    common.plot_history({"loss": epochs * [0.2]}, tmp_path / "a.png")
    (axes,) = plt.figure("a.png").axes
    assert not (axes.get_xticks() % 1).any()
