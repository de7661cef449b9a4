"""Each script as a program: its options, what readers change, and what goes wrong."""

import os
import re
import signal
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, SCRIPTS, contents, script_path, start
from matplotlib.image import imread
from test_learning import mse, predict, second_parts, table

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
    done = run("deep", "--epochs", "1", "--encoding-dim", "8", "--split", "4")
    assert [row[0] for row in table(done.said).values()] == [8, 8, 64, 64]
    codes = predict(second_parts(done.autoencoder, 4)[0], done.x_test)
    np.testing.assert_allclose(done.encoded_imgs2, codes, 1e-4)


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_shows_the_last_run_again(name, run, first_runs, npz, monkeypatch):
    """In windows that have the pictures' names and fit a laptop, unless unwanted."""
    shown, folder = [], first_runs[name].args.folder
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_figlabels()))
    before, again = contents(folder), {"data": npz, "models": folder.parent}
    done = run(name, "--load", **again)
    assert not shown  # as `run` has --no-show
    assert "Epoch" not in done.said and not hasattr(done, "history")
    rows, expected = table(done.said), table(first_runs[name].said)
    for label, row in rows.items():
        assert row == pytest.approx(expected[label], abs=2e-4, rel=2e-3)
    after = contents(folder)
    assert before.keys() == after.keys()
    changed = {x.name for x in after if before[x] != after[x]}
    assert not any(x.endswith(".pkl") for x in changed | {"history.png"} & changed)

    run(name, "--load", show=(), **again)
    ((first, second),) = shown
    assert first == "reconstructions.png"
    for title in (first, second):
        figure = plt.figure(title)
        width, height = figure.get_size_inches()
        assert width * figure.dpi <= 1300 and height * figure.dpi <= 620
        pixels = imread(folder / title).shape
        np.testing.assert_allclose(pixels[:2], (120 * height, 120 * width), atol=1)


# What readers try first: a script, what they replace in it, and by what, ...
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
PARTS = "autoencoder = Model(input_img, decoder(encoder(input_img)))"
EXPERIMENTS = {
    "Dropout": ("simple", OUTPUT, f"encoded = Dropout(0.1)(encoded)\n{OUTPUT}"),
    "MSE": ("simple", '"binary_crossentropy"', '"mse"'),
    "a code below 0": ("simple", '(encoding_dim, "relu", ', "(encoding_dim, "),
    "layers more": ("deep", "encoded = Dense(64", WIDER),
    "a network of networks": ("simple", "autoencoder.summary()", PARTS),
    "a code of one axis, and Conv2DTranspose": ("conv", POOLED, TRANSPOSED),
    "a layer of one's own": ("simple", "# %% 加载数据", f"{OWN}\n# %% 加载数据"),
    "a second layer of the decoder": (
        *("simple", OUTPUT, f'decoded = Dense(64, "relu")(encoded)\n{OUTPUT}'),
        *('"sigmoid")(encoded)', '"sigmoid")(decoded)'),
    ),
}
# ... and what they have to import for it.
IMPORTS = "import keras\nfrom keras.layers import *\nimport common  # isort: skip"


@pytest.fixture
def changed(tmp_path):
    """Write a script with changes in it, as readers make them; returns its path."""

    def change(name, *changes):
        text = script_path(name).read_text(encoding="utf-8")
        changes = [*changes, "import common  # isort: skip", IMPORTS]
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "changed.py").write_text(text, encoding="utf-8")
        return tmp_path / "changed.py"

    return change


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, changed, run):
    done = run(changed(*EXPERIMENTS[what]), "--epochs", "1")  # which saves and loads
    assert len(table(done.said)) == (4 if "deep" in EXPERIMENTS[what] else 2)
    images = predict(done.autoencoder, done.x_test)
    np.testing.assert_allclose(done.decoded_imgs, images, atol=1e-5)


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, changed, run):
    path = changed("simple", OUTPUT, f"encoded = {layer}(abs)(encoded)\n{OUTPUT}")
    with pytest.raises(common.UserError, match="^.*register_keras_ser.*$") as caught:
        run(path, "--epochs", "1")
    assert "Epoch" not in caught.value.said


def test_help_names_options_and_defaults(run, capsys):
    with pytest.raises(SystemExit, match="0") as caught:
        run("simple", "--help")
    said = " ".join(caught.value.said.split())
    for text in ("50", "256", "16", "0.0001", ROOT / "models", "as the script has it"):
        assert f"({text})" in said
    assert all(f"--{x} " in said for x in ("data", "optimizer", "load", "no-show"))
    assert "最简单的单层编码解码机" in said
    with pytest.raises(SystemExit, match="2"):
        run("simple", "--epochs=many")
    assert "argument --epochs: invalid" in capsys.readouterr().err


def test_folder_of_the_models(run, tmp_path):
    """It is made before the training, and by that alone."""
    (tmp_path / "file").touch()
    with pytest.raises(common.UserError, match="^--models takes a folder.*$") as caught:
        run("deep", models=tmp_path / "file")
    assert "MNIST" not in caught.value.said
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


GREETING = re.compile(r"[IWE]0000 |WARNING: All log|To enable|$")


def without_greeting(err):
    """The lines that a process wrote to stderr, less the few of TensorFlow."""
    lines = err.splitlines()
    ours = [line for line in lines if not GREETING.match(line)]
    assert len(lines) - len(ours) <= 12, err
    return ours


def test_errors_in_a_terminal(early):
    """What the user can mend is one line, what Python finds keeps its traceback."""
    said = {"no data": "error: ", "mistyped": "NameError: name 'arg' is not defined"}
    for name, first in said.items():
        out, err = early[name].communicate(timeout=180)
        lines = without_greeting(err)
        assert early[name].returncode == 1 and "Epoch" not in out
        assert lines[-1].startswith(first)
        assert (len(lines) == 1) == (name == "no data") != ("Traceback" in err)


@posix
def test_ctrl_c(few, tmp_path):
    """The first keeps what was learnt; a second one leaves at once, without a traceback."""
    words = "--epochs", "100000", "--models", tmp_path, "--data", few
    once, twice = (start(script_path(x), *words) for x in ("simple", "conv"))
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
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)  # in a shell, which goes on
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
