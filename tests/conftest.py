"""The surroundings of all tests, and the digits and runs that they share."""

import functools
import gc
import os
import signal
import sys
import tempfile
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
# Python looks for garbage less often. Among TensorFlow's many objects, looking for it takes a
# tenth of the time.
gc.set_threshold(100_000)

import common

import matplotlib.pyplot as plt
import pytest
from helpers import PATHS, PROCESSES, Cells, run_script, start, write_npz

# Epochs and batch size of each script's first run, with its own optimizer.
EPOCHS = {"simple": 9, "deep": 9, "conv": 2}
BATCH_SIZE = {"simple": 32, "deep": 32, "conv": 128}


@pytest.fixture(scope="session")
def digits():
    """4,000 and 1,100 digits of MNIST: x float32 in [0, 1], and y.

    There are more than 1,000, which is how many the scripts compare after loading.
    """
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    return (x_train[:4000], y_train[:4000]), (x_test[:1100], y_test[:1100])


@pytest.fixture(scope="session")
def npz(digits, tmp_path_factory):
    """All of these digits in a file."""
    train, test = digits
    return write_npz(tmp_path_factory.mktemp("data") / "mnist.npz", train, test)


@pytest.fixture(scope="session")
def few(digits, npz):
    """A file with 128 and 200 of them, for what does not depend on them.

    An epoch is one step, so that TensorFlow has no loop of steps to compile.
    """
    (x_train, y_train), (x_test, y_test) = digits
    train = x_train[:128], y_train[:128]
    test = x_test[:200], y_test[:200]
    return write_npz(npz.with_name("few.npz"), train, test)


@pytest.fixture
def run(few, tmp_path):
    """Run a script here for an epoch, by its name or path, on few digits."""

    def call(script, *words, data=few, models=tmp_path, output=None):
        path = PATHS.get(script, script)
        fixed = ["--epochs", "1", "--data", data, "--models", models]
        return run_script(path, *fixed, *words, output=output)

    return call


@pytest.fixture(scope="session")
def first_run(npz, tmp_path_factory):
    """A script's first run, by its name, and the figures that it drew; it is made once."""
    models = tmp_path_factory.mktemp("models")

    @functools.cache
    def call(name):
        words = ["--data", npz, "--models", models]
        words += ["--epochs", EPOCHS[name], "--batch-size", BATCH_SIZE[name]]
        return run_script(PATHS[name], *words)

    return call


@pytest.fixture(scope="session")
def map_cells(few, tmp_path_factory):
    """The cells of simple or deep with a code of two numbers, run to the map."""
    models = tmp_path_factory.mktemp("two")

    @functools.cache
    def call(name):
        cells = Cells(name, few, models)
        cells.args.encoding_dim = 2
        cells.args.optimizer = "adam"
        cells.variables["n"] = 2
        cells.run("加载数据", "建立网络", "编译", "训练、保存", "加载保存的网络", "编码和解码")
        if name == "deep":
            cells.run("把分界前移一层")
        cells.run("主成分分析", "画图：二维编码的散点图")
        cells.map_figure = plt.figure("map.png")
        return cells

    return call


@pytest.fixture(scope="session")
def early(few, tmp_path_factory):
    """Processes that run beside the tests, as most of these are busy on one core."""
    folder = tmp_path_factory.mktemp("early")
    # A keras.json of 2017, and a matplotlibrc.
    (folder / "keras.json").write_text('{"backend": "theano"}', encoding="utf-8")
    (folder / "matplotlibrc").write_text("font.size: 30\naxes.grid: True\n", encoding="utf-8")
    programs = ROOT / "tests" / "programs"
    words = ["--epochs", "1", "--data", few, "--models"]
    western = [folder / "张三 100%", "--encoding-dim", "5"]
    return {
        "python -i": start(
            PATHS["simple"],
            *words,
            *western,
            options=["-i"],
            PYTHONIOENCODING="cp1252",
            KERAS_HOME=str(folder),
            MATPLOTLIBRC=str(folder),
        ),
        "JAX": start(
            programs / "on_jax.py",
            *words,
            folder,
            KERAS_BACKEND="jax",
            XLA_FLAGS="--xla_backend_optimization_level=0",  # compiled sooner, into slower code
        ),
        "notebook": start(programs / "notebook.py", few, folder),
        "Spyder": start(programs / "spyder.py", few, folder),
    }


@pytest.fixture(scope="session", autouse=True)
def processes(request):
    """Start the early processes at once if a test wants them; end all processes."""
    if any("early" in test.fixturenames for test in request.session.items):
        request.getfixturevalue("early")
    yield
    for process in PROCESSES:
        process.terminate()
        process.communicate()
