"""The digits: MNIST, which comes with the project, or a file of one's own."""

import common

import hashlib

import numpy as np
import pytest

IMAGES = np.full((5, 28, 28), 255, "uint8")
LABELS = np.arange(5)
BAD_ARRAYS = {
    "floats": {"x_test": IMAGES / 255},
    "colours": {"x_test": np.full((5, 32, 32, 3), 255, "uint8")},
    "no image": {"x_test": IMAGES[:0], "y_test": LABELS[:0]},
    "scaled already": {"x_train": IMAGES // 255},
    "too few labels": {"y_test": LABELS[:4]},
    "labels that are no whole numbers": {"y_train": LABELS / 2},
    "labels as objects": {"y_test": np.array([None] * 5)},
}
# The MD5 of the images and labels in MNIST's own files, behind their heads.
MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


def idx(array):
    """An array of uint8 as an IDX file has it: its type, its axes' lengths, its bytes."""
    head = bytes([0, 0, 8, array.ndim])
    for length in array.shape:
        head += length.to_bytes(4, "big")
    return head + array.tobytes()


def test_it_is_the_whole_of_mnist():
    with np.load(common.MNIST) as file:
        for name, md5 in MD5.items():
            assert hashlib.md5(idx(file[name])).hexdigest() == md5, name


def test_digits_are_scaled_and_in_their_order():
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert x_train.dtype == x_test.dtype == np.float32
    with np.load(common.MNIST) as file:
        for name, x in (("x_train", x_train), ("x_test", x_test)):
            np.testing.assert_allclose(x[:100] * 255, file[name][:100], atol=1e-4)
    assert (y_train[:5].tolist(), y_test[:3].tolist()) == ([5, 0, 4, 1, 9], [7, 2, 1])


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
    assert fault == "no image" or min(BAD_ARRAYS[fault]) in str(caught.value)


@pytest.mark.parametrize("content", [b"label,pixel0\n5,0\n", b"", b"PK\x03\x04 cut off"])
def test_file_of_another_kind(content, tmp_path):
    """Neither a table of Kaggle's, nor a part of a download."""
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(common.UserError, match=r"^.*train\.csv is no \.npz file .*x_train.*$"):
        common.load_mnist(path)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(common.UserError, match=r"^there is no file .*tpyo\.npz$"):
        common.load_mnist(tmp_path / "tpyo.npz")


def test_file_without_one_of_the_arrays(tmp_path):
    np.savez(tmp_path / "own.npz", x_train=IMAGES)
    with pytest.raises(common.UserError, match=r"^.*own\.npz.*y_train.*$"):
        common.load_mnist(tmp_path / "own.npz")


def test_file_of_one_s_own(tmp_path):
    """Labels may be any whole numbers, as of letters."""
    arrays = {"y_train": np.array([1, 2, 25, 26, 26], "uint8")}
    (x_train, y_train), (x_test, _) = common.load_mnist(write(tmp_path, arrays))
    assert x_train.shape == x_test.shape == (5, 28, 28)
    assert (x_train == 1).all()
    assert y_train.tolist() == [1, 2, 25, 26, 26]
