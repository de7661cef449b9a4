"""Every way to the digits: a file, Keras's cache or download, the sample."""

import common

import os
import re
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import Cells

IMAGES = np.full((5, 28, 28), 255, "uint8")
LABELS = np.arange(5)
BAD_ARRAYS = {
    "floats": {"x_test": IMAGES / 255},
    "colours": {"x_test": np.zeros((5, 32, 32, 3), "uint8")},
    "one image": {"x_train": IMAGES[:1], "y_train": LABELS[:1]},
    "no image": {"x_test": IMAGES[:0], "y_test": LABELS[:0]},
    "scaled already": {"x_train": IMAGES // 255},
    "too few labels": {"y_test": LABELS[:4]},
    "labels that are no whole numbers": {"y_train": LABELS / 2},
    "labels as vectors": {"y_train": np.eye(5, dtype=int)},
    "labels as objects": {"y_test": np.array([None] * 5)},
}


def write(folder, arrays):
    """Write a file like Keras's mnist.npz with some arrays in place of good ones."""
    good = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}
    good.update(arrays)
    np.savez(folder / "own.npz", **good)
    return folder / "own.npz"


@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_bad_file_is_refused_in_one_line(fault, tmp_path):
    path = write(tmp_path, BAD_ARRAYS[fault])
    with pytest.raises(common.UserError, match=r"^.*own\.npz.*$") as caught:
        common.load_mnist(path)
    assert "allow_pickle" not in str(caught.value) or fault == "labels as objects"


@pytest.mark.parametrize("content", [b"label,pixel0\n5,0\n", b"", b"PK\x03\x04 cut off"])
def test_file_of_another_kind(content, tmp_path):
    """Neither a table of Kaggle's, nor a part of a download, is taken for a pickle."""
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(
        common.UserError, match=r"^.*train\.csv is not an \.npz file.*x_train.*$"
    ):
        common.load_mnist(path)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(common.UserError, match=r"^--data: there is no file .*tpyo\.npz$"):
        common.load_mnist(tmp_path / "tpyo.npz")


def test_file_without_one_of_the_arrays(tmp_path):
    np.savez(tmp_path / "own.npz", x_train=IMAGES)
    with pytest.raises(common.UserError, match=r"^.*own\.npz.*y_train.*$"):
        common.load_mnist(tmp_path / "own.npz")


def test_file_of_one_s_own(tmp_path):
    """Two images are enough, and labels may be any whole numbers, as of letters."""
    arrays = {"y_train": np.array([1, 2, 25, 26, 26], "uint8")}
    (x_train, y_train), (x_test, _) = common.load_mnist(write(tmp_path, arrays))
    assert x_train.dtype == x_test.dtype == np.float32
    assert x_train.shape == (5, 28, 28)
    assert (x_train == 1).all()
    assert y_train.tolist() == [1, 2, 25, 26, 26]


def test_sample_is_balanced_disjoint_and_repeated():
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (1000, 28, 28)
    assert (x_train.reshape(15, 4000, 28, 28) == x_train[:4000]).all()
    assert np.bincount(y_train[:4000]).tolist() == [400] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    train = {x.tobytes() for x in x_train}
    test = {x.tobytes() for x in x_test}
    assert len(train) == 4000
    assert not train & test


def test_script_without_data_asks_keras(tmp_path):
    """Whose download fails here."""
    cells = Cells("simple", None, tmp_path)
    cells.run("加载数据")
    assert cells.x_train.shape == (60_000, 784)
    assert cells.x_test.shape == (1000, 784)


def test_sample_is_said(capsys):
    common.load_mnist()
    said = capsys.readouterr().out
    expected = (
        "NOT THE WHOLE OF MNIST.*(Connection refused|10061).*4,000 to train.*use --data"
    )
    assert re.search(expected, said, re.DOTALL)
    assert "broken" not in said


@pytest.fixture
def cached(tmp_path):
    """Where Keras itself keeps mnist.npz; there is none before and after."""
    probe = tmp_path / "probe.txt"
    probe.write_text("a small file", encoding="utf-8")
    copy = keras.utils.get_file("probe.txt", origin=probe.as_uri())
    file = Path(copy).with_name("mnist.npz")
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def download(cached, monkeypatch):
    """Let Keras's download write so many bytes in each tenth of a second."""
    given_up = threading.Event()

    def replace(sizes, result=None):
        def load_data():
            for size in sizes:
                with open(cached, "ab") as output:
                    output.write(bytes(size))
                if given_up.wait(timeout=0.1):
                    break
            return result

        monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)

    yield replace
    given_up.set()
    time.sleep(0.2)  # so that the file is closed, which Windows asks for


@pytest.mark.parametrize("sizes", [[0] * 300, [100_000] + [1] * 300])
def test_download_that_stalls_or_drips_is_given_up(sizes, download, capsys):
    download(sizes)
    (x_test, _) = common.load_mnist(patience=1)[1]
    assert len(x_test) == 1000
    assert "hardly anything came in 1 seconds" in capsys.readouterr().out


def assert_slow_line_gets_the_whole_set(download, digits):
    parts = [((x * 255).round().astype("uint8"), y) for x, y in digits]
    download([16_000] * 15, parts)  # longer than the patience
    found = common.load_mnist(patience=1)
    for (x, y), (x_expected, y_expected) in zip(found, digits, strict=True):
        np.testing.assert_array_equal(x, x_expected)
        np.testing.assert_array_equal(y, y_expected)


def test_slow_line_gets_the_whole_set(download, digits):
    assert_slow_line_gets_the_whole_set(download, digits)


def test_slow_line_with_a_home_that_begins_with_a_tilde(download, digits, monkeypatch):
    """Keras puts its file into the user's home, where it is watched."""
    keras_home = Path(os.environ["KERAS_HOME"])
    monkeypatch.setenv("HOME", str(keras_home.parent))
    monkeypatch.setenv("USERPROFILE", str(keras_home.parent))  # Windows
    monkeypatch.setenv("KERAS_HOME", os.path.join("~", keras_home.name))
    assert_slow_line_gets_the_whole_set(download, digits)


def test_broken_file_in_keras_s_cache_is_told_from_a_broken_line(cached, capsys):
    cached.write_bytes(b"half of a download")
    common.load_mnist()
    said = capsys.readouterr().out
    assert re.search(r"mnist\.npz was there, but broken or not Keras's own", said)
    assert re.search("Connection refused|10061", said)


def test_process_stays_as_it_was_and_ends_at_once_after_a_stall(early):
    process = early["unchanged"]
    out, err = process.communicate(timeout=180)
    assert out.endswith("unchanged, and without children\n"), err
    assert process.returncode == 0
    assert "hardly anything came in 1 seconds" in out
