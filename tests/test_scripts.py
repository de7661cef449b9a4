"""Each script as a program: its options, what readers change, and what goes wrong."""

import importlib
import os
import re
import signal
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, SCRIPTS, contents, script_path
from matplotlib.image import imread
from test_learning import mse, table

import common

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
# Of Adadelta and of Adam.
RATES = {"simple": (1.0, 0.001), "deep": (1.0, 0.0015), "conv": (1.0, 0.005)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_options_of_a_training(name, run, first_runs):
    assert float(first_runs[name].optimizer.learning_rate) == RATES[name][0]
    done = run(name, "--epochs", "1", "--optimizer", "adam")
    assert isinstance(done.optimizer, keras.optimizers.Adam)
    assert float(done.optimizer.learning_rate) == pytest.approx(RATES[name][1])
    # With so small steps nothing is learnt, in so many updates.
    words = ["--learning-rate", "1e-9", "--epochs", "3", "--batch-size", "100"]
    done = run(name, *words)
    assert "Epoch 3/3\n5/5 - " in done.said
    assert np.ptp(done.history.history["val_loss"]) < 1e-3
    assert mse(done.x_test, done.decoded_imgs) > 0.2
    assert int(done.optimizer.iterations) == 15


def test_code_and_penalty(run, npz):
    words = ["--epochs", "1", "--encoding-dim", "1000", "--l1"]
    weak, strong = (run("simple", *words, l1, data=npz) for l1 in ("0", "0.5"))
    assert table(weak.said)["autoencoder"][:2] == [1000, 0.8]
    assert table(weak.said)["PCA 1000"][3] < 1e-6  # it needs no more than 784
    assert weak.encoded_imgs.shape == (1000, 1000)
    assert "+ 0.0000 =" in weak.said and "+ 0.0000 =" not in strong.said
    assert np.mean(strong.encoded_imgs) < np.mean(weak.encoded_imgs) / 2


def test_middle_and_split_of_deep(run):
    words = ["--epochs", "1", "--encoding-dim", "8", "--split", "4"]
    done = run("deep", *words)
    assert [row[0] for row in table(done.said).values()] == [8, 8, 64, 64]
    inner = keras.Model(done.autoencoder.input, done.autoencoder.layers[4].output)
    expected = inner.predict(done.x_test, verbose=0)
    np.testing.assert_allclose(done.encoded_imgs2, expected, 1e-4)


# A window has the size that its figure has when it is made.
WINDOWS = """
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

shown, sizes = [], {}

class FigureCanvas(FigureCanvasAgg):
    def __init__(self, figure):
        super().__init__(figure)
        sizes[figure] = self.get_width_height()

def show(*_, **__):
    shown.append(plt.get_figlabels())
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_shows_the_last_run_again(
    name, run, first_runs, npz, tmp_path, monkeypatch
):
    """In windows that have the pictures' names and fit a laptop, unless unwanted."""
    (tmp_path / "windows.py").write_text(WINDOWS)
    monkeypatch.syspath_prepend(tmp_path)
    plt.switch_backend("module://windows")
    windows = importlib.import_module("windows")
    windows.shown.clear()
    folder = first_runs[name].args.folder
    before, again = contents(folder), {"data": npz, "models": folder.parent}
    done = run(name, "--load", **again)
    assert not windows.shown  # as `run` has --no-show
    assert "Epoch" not in done.said and not hasattr(done, "history")
    rows, expected = table(done.said), table(first_runs[name].said)
    for label, row in rows.items():
        assert row[:5] == pytest.approx(expected[label][:5], abs=2e-4)
        assert row[5] == pytest.approx(expected[label][5], abs=0.11)
    after = contents(folder)
    assert before.keys() == after.keys()
    changed = {x.name for x in after if before[x] != after[x]}
    assert not any(x.endswith(".pkl") for x in changed) and "history.png" not in changed

    run(name, "--load", show=(), **again)
    plt.switch_backend("agg")
    (titles,) = windows.shown
    assert len(titles) == 2 and titles[0] == "reconstructions.png"
    for title in titles:
        figure = plt.figure(title)
        width, height = windows.sizes[figure]
        assert width <= 1300 and height <= 620
        expected = 120 * figure.get_size_inches()
        shape = imread(folder / title).shape[1::-1]
        np.testing.assert_allclose(shape, expected, atol=1)


# What readers try first: a script, and what they replace in it, and by what.
OUTPUT = "decoded = Dense(784, "
OWN = """
@keras.saving.register_keras_serializable()
class Own(Dense):
    pass

Dense = Own
"""
POOLED = """encoded = MaxPooling2D((2, 2), padding="same")(x)  # (4, 4, 8): 128 values
x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
"""
TRANSPOSED = """encoded = Dense(128)(Flatten()(MaxPooling2D(padding="same")(x)))
x = Conv2DTranspose(8, 3, 2, padding="same")(Reshape((4, 4, 8))(encoded))
"""
WIDER = """encoded = BatchNormalization()(Dense(9, "gelu")(encoded))
encoded = Dense(64"""
EXPERIMENTS = {
    "Dropout": ("simple", OUTPUT, f"encoded = Dropout(0.1)(encoded)\n{OUTPUT}"),
    "a second layer of the decoder": (
        *("simple", OUTPUT, f'decoded = Dense(64, "relu")(encoded)\n{OUTPUT}'),
        *('"sigmoid")(encoded)', '"sigmoid")(decoded)'),
    ),
    "MSE": ("simple", '"binary_crossentropy"', '"mse"'),
    "a code below 0": ("simple", '(encoding_dim, "relu", ', "(encoding_dim, "),
    "layers more": ("deep", "encoded = Dense(64", WIDER),
    "a network of networks": (
        *("simple", "autoencoder.summary()"),
        "autoencoder = Model(input_img, decoder(encoder(input_img)))",
    ),
    "a code of one axis, and Conv2DTranspose": ("conv", POOLED, TRANSPOSED),
    "a layer of one's own": ("simple", "# %% 加载数据", f"{OWN}\n# %% 加载数据"),
}


@pytest.fixture
def changed(tmp_path):
    """Write a script with changes in it, as readers make them; returns its path."""

    def change(name, *changes):
        text = script_path(name).read_text(encoding="utf-8")
        first = "import common  # isort: skip"
        more = f"import keras\nfrom keras.layers import *\n{first}"
        for old, new in zip(
            (*changes[::2], first), (*changes[1::2], more), strict=True
        ):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "changed.py").write_text(text, encoding="utf-8")
        return tmp_path / "changed.py"

    return change


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, changed, run):
    path = changed(*EXPERIMENTS[what])
    done = run(path, "--epochs", "1")  # which saves and loads
    assert len(table(done.said)) == (4 if "deep" in EXPERIMENTS[what] else 2)
    images = done.autoencoder.predict(done.x_test, verbose=0)
    np.testing.assert_allclose(done.decoded_imgs, images, atol=1e-5)


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, changed, run):
    new = f"encoded = {layer}(lambda x: x)(encoded)\n{OUTPUT}"
    with pytest.raises(
        common.UserError, match="^.*register_keras_serializable.*$"
    ) as e:
        run(changed("simple", OUTPUT, new), "--epochs", "1")
    assert "Epoch" not in e.value.said


def test_help_names_options_and_defaults(run):
    with pytest.raises(SystemExit, match="0") as caught:
        run("simple", "--help")
    said = " ".join(caught.value.said.split())
    for text in ("50", "256", "adadelta", ROOT / "models", "16", "0.0001"):
        assert f"({text})" in said
    assert all(f"--{x} " in said for x in ("data", "learning-rate", "load", "no-show"))
    assert "最简单的单层编码解码机" in said


@pytest.mark.parametrize(
    "words",
    [
        *("--epochs=0", "--epochs=1.5", "--batch-size=0", "--encoding-dim=0"),
        *("--learning-rate=-1", "--learning-rate=nan", "--l1=-0.1", "--l1=inf"),
        *("--seed=-1", "--seed=4294967296", "--optimizer=sgd"),
    ],
)
def test_option_out_of_range(words, run, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("simple", words)
    assert words.split("=")[0] in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "simple").exists()


def test_folder_is_found_out_before_the_training(run, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        common.UserError, match=r"^--models takes a folder.*$"
    ) as caught:
        run("deep", models=tmp_path / "file")
    assert "MNIST" not in caught.value.said


def test_load_creates_nothing(run, tmp_path):
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


def test_loss_that_is_not_a_number(run, first_runs):
    models = first_runs["deep"].args.models
    before = contents(models)
    words = ["--optimizer", "adam", "--learning-rate", "1e6", "--epochs", "3"]
    with pytest.raises(common.UserError, match=r"^.*--learning-rate$"):
        run("deep", *words, models=models)
    assert contents(models) == before


def test_tensorboard_can_read_the_logs(first_runs):
    reader = "tensorboard.backend.event_processing.event_accumulator"
    events = pytest.importorskip(reader)
    (logs,) = (first_runs["conv"].args.folder / "logs").iterdir()
    for part in ("train", "validation"):
        log = events.EventAccumulator(str(logs / part)).Reload()
        assert [x.step for x in log.Tensors("epoch_loss")] == [0, 1]  # two epochs


GREETING = re.compile(r"[IWE]0000 |WARNING: All log|To enable|$")


def without_greeting(err):
    """The lines that a process wrote to stderr, less the few of TensorFlow."""
    lines = err.splitlines()
    ours = [line for line in lines if not GREETING.match(line)]
    assert len(lines) - len(ours) <= 12, err
    return ours


def test_errors_in_a_terminal(start, changed, tmp_path):
    """What the user can mend is one line, what Python finds keeps its traceback."""
    (tmp_path / "file").touch()
    typo = changed("simple", "encoding_dim = args", "encoding_dim = arg")
    processes = {
        "file is not like Keras's mnist.npz": start("simple", data=tmp_path / "file"),
        "NameError: name 'arg' is not defined": start(typo),
    }
    for said, process in processes.items():
        out, err = process.communicate(timeout=180)
        lines = without_greeting(err)
        assert process.returncode == 1 and "Epoch" not in out
        assert said in lines[-1]
        assert ("Traceback" in err) == ("NameError" in said) == (len(lines) > 1)


@posix
def test_ctrl_c(start, tmp_path):
    """The first keeps what was learnt; a second one leaves at once, without a traceback."""
    once, twice = (start(name, "--epochs", "100000") for name in ("simple", "conv"))
    for process in (once, twice):
        assert any("Epoch 3/" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
    assert any("once more to leave" in line for line in twice.stderr)
    twice.send_signal(signal.SIGINT)
    out, err = once.communicate(timeout=180)
    assert once.returncode == 0, err
    assert "STOPPED EARLY by Ctrl-C" in without_greeting(err)[-1]
    assert table(out)
    for name in ("autoencoder", "encoder", "decoder"):
        common.load_model(name, tmp_path / "simple")
    _, err = twice.communicate(timeout=180)
    assert twice.returncode == -signal.SIGINT and not without_greeting(err)


@posix
def test_ctrl_c_is_as_it_was_afterwards(monkeypatch):
    monkeypatch.setattr(
        sys, "ps1", ">>> ", raising=False
    )  # as in a shell, which goes on
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), common.ctrl_c_stops(model):
        assert signal.getsignal(signal.SIGINT) != before
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == before
    with common.ctrl_c_stops(model):
        signal.raise_signal(signal.SIGINT)
        assert model.stop_training
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
