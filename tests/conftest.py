"""The surroundings of all tests, and the digits and runs that they share."""

import functools
import gc
import os
import signal
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# Ctrl-C works where a suite that runs in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No test sees or touches the user's own settings, or the network: nothing listens there.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-home-")
os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="matplotlib-")
os.environ["https_proxy"] = "http://127.0.0.1:9"
os.environ["MPLBACKEND"] = "agg"
os.environ["PYTHONPATH"] = str(ROOT)
os.environ.pop("KERAS_BACKEND", None)
# The tests take one core, and leave the other to the processes beside.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
# Python looks for garbage less often. Among TensorFlow's many objects, looking for it takes a
# tenth of the time.
gc.set_threshold(100_000)

import common

import numpy as np
import pytest
import tensorflow as tf
from helpers import PATHS, PROCESSES, run_process, run_script

# Epochs and batch size of each script's first run, with its own optimizer.
EPOCHS = {"simple": 8, "deep": 8, "conv": 2}
BATCH_SIZE = {"simple": 32, "deep": 32, "conv": 128}


def write_digits(path, train, test):
    """Write so many digits of MNIST into a file like Keras's mnist.npz; returns its path."""
    with np.load(common.MNIST) as file:
        np.savez(
            path,
            x_train=file["x_train"][:train],
            y_train=file["y_train"][:train],
            x_test=file["x_test"][:test],
            y_test=file["y_test"][:test],
        )
    return path


@pytest.fixture(scope="session")
def mnist():
    """All digits of MNIST, as `common.load_mnist` returns them."""
    return common.load_mnist()


@pytest.fixture(scope="session")
def npz(tmp_path_factory):
    """A file with 4,000 and 1,100 digits."""
    return write_digits(tmp_path_factory.mktemp("data") / "mnist.npz", 4000, 1100)


@pytest.fixture(scope="session")
def few(npz):
    """A file with 128 and 64 digits, for what does not depend on them.

    An epoch is one step, so that TensorFlow has no loop of steps to compile.
    """
    return write_digits(npz.with_name("few.npz"), 128, 64)


@pytest.fixture(scope="session")
def first_run(npz, tmp_path_factory):
    """A script's first run, by its name, and the figures that it drew; it is made once."""
    models = tmp_path_factory.mktemp("models") / "new"

    @functools.cache
    def call(name):
        words = ["--data", npz, "--models", models]
        words += ["--epochs", EPOCHS[name], "--batch-size", BATCH_SIZE[name]]
        return run_script(PATHS[name], *words)

    return call


@pytest.fixture
def eager():
    """TensorFlow runs each network as it stands: to compile so many would take twice as long."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Even though the")  # Keras's, of this setting
        yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def early(few, tmp_path_factory):
    """Processes that run beside the tests, one after the other, as these are busy on one core.

    Each saves into a folder of its own. Returned is what each printed, as a future.
    """
    programs = ROOT / "tests" / "programs"
    options = ["--epochs", "1", "--data", few, "--models"]
    asked = "print(loaded_encoder.predict(x_test, verbose=0).shape, args.l1, len(encoder.layers))\n"
    executor = ThreadPoolExecutor(max_workers=1)

    def start(name, path, *words, **how):
        return executor.submit(run_process, path, *words, tmp_path_factory.mktemp(name), **how)

    yield {
        "JAX": start("jax", programs / "on_jax.py", *options, KERAS_BACKEND="jax"),
        "Spyder": start("spyder", programs / "run_spyder.py", few),
        "Jupyter": start("jupyter", programs / "run_notebook.py", few),
        "python -i": start(
            "i", PATHS["simple"], "--l1", "0.5", *options, python=["-i"], typed=asked
        ),
    }
    executor.shutdown(wait=False, cancel_futures=True)
    for process in PROCESSES:
        process.terminate()


@pytest.fixture(scope="session", autouse=True)
def start_early(request):
    """Start these processes at once if a test wants them."""
    if any("early" in test.fixturenames for test in request.session.items):
        request.getfixturevalue("early")
