"""Every way to the digits: a file, Keras's cache or download, the sample."""

import os
import re
import time
from pathlib import Path
from unittest.mock import Mock

import keras
import numpy as np
import pytest

import common

BAD_ARRAYS = {
    "floats": {"x_test": np.zeros((5, 28, 28), "float32")},
    "colours": {"x_test": np.zeros((5, 32, 32, 3), "uint8")},
    "too few labels": {"y_test": np.zeros(4, "uint8")},
}


@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_bad_file_is_refused_in_one_line(fault, tmp_path):
    x, y = np.zeros((5, 28, 28), "uint8"), np.zeros(5, "uint8")
    arrays = {"x_train": x, "y_train": y, "x_test": x, "y_test": y} | BAD_ARRAYS[fault]
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(common.UserError, match=r"^.*bad\.npz.*$"):
        common.load_mnist(tmp_path / "bad.npz")


def test_the_message_that_is_shown_is_not_one_that_was_hidden(monkeypatch):
    error = ValueError("the helpful message")
    error.__context__, error.__suppress_context__ = KeyError("hidden"), True
    monkeypatch.setattr(np, "load", Mock(side_effect=error))
    with pytest.raises(common.UserError, match="the helpful message"):
        common.load_mnist("any.npz")


def test_sample_is_balanced_disjoint_and_repeated(capsys):
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    assert (x_train.shape, x_test.shape) == ((60_000, 28, 28), (1000, 28, 28))
    assert (x_train.reshape(15, 4000, 28, 28) == x_train[:4000]).all()
    assert np.bincount(y_train[:4000]).tolist() == [400] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    train, test = ({x.tobytes() for x in part} for part in (x_train, x_test))
    assert len(train) == 4000 and not train & test
    said = capsys.readouterr().out
    expected = "NOT THE WHOLE OF MNIST.*Connection refused.*4,000 to train.*use --data"
    assert re.search(expected, said, re.DOTALL)


@pytest.fixture
def download(monkeypatch):
    """Let Keras's download write so many bytes in each tenth of a second."""
    file = Path(os.environ["KERAS_HOME"]) / "datasets" / "mnist.npz"
    file.parent.mkdir(parents=True, exist_ok=True)

    def replace(sizes, result=None):
        def load_data():
            with open(file, "wb", buffering=0) as output:
                for size in sizes:
                    output.write(bytes(size))
                    time.sleep(0.1)
            return result

        monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)

    yield replace
    file.unlink(missing_ok=True)


@pytest.mark.parametrize("sizes", [[0] * 300, [100_000, *[1] * 300]])
def test_download_that_stalls_or_drips_is_given_up(sizes, download, capsys):
    download(sizes)
    assert len(common.load_mnist(patience=1)[1][0]) == 1000
    assert "hardly anything in 1 seconds" in capsys.readouterr().out


def test_slow_line_gets_the_whole_set(download, digits):
    parts = [((x * 255).round().astype("uint8"), y) for x, y in digits]
    download([16_000] * 25, parts)  # longer than the patience
    found = common.load_mnist(patience=2)
    for (x, y), (x_expected, y_expected) in zip(found, digits, strict=True):
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, x_expected)
        np.testing.assert_array_equal(y, y_expected)


@pytest.mark.skipif(os.name != "posix", reason="looks at signals and child processes")
def test_process_stays_as_it_was_and_ends_at_once_after_a_stall(early):
    process = early["inert"]
    out, err = process.communicate(timeout=180)
    assert out.endswith("unchanged, and without children\n"), err
    assert process.returncode == 0
    assert "hardly anything in 1 seconds" in out
