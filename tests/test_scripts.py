"""Each script as a program: its options, what readers change, and what goes wrong."""

import os
import signal
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import PATHS, ROOT, SCRIPTS, contents, start
from matplotlib.image import imread
from test_learning import predict, second_parts, table

import common

posix = pytest.mark.skipif(os.name != "posix", reason="its signals are needed")


@pytest.mark.parametrize("name", SCRIPTS)
def test_options_of_a_training(name, run, first_runs):
    assert float(first_runs[name].optimizer.learning_rate) == 1
    # With so small steps nothing is learnt, in so many updates.
    words = "--learning-rate", "1e-9", "--epochs", "3", "--batch-size", "100"
    done = run(name, *words, "--no-show")
    assert "Epoch 3/3\n5/5 - " in done.said and not done.shown
    assert np.ptp(done.history.history["val_loss"]) < 1e-3


def test_code_and_penalty(run, npz):
    words = ["--epochs", "1", "--encoding-dim", "1000", "--l1"]
    weak, strong = (run("simple", *words, l1, data=npz) for l1 in ("0", "0.5"))
    assert table(weak.said)["autoencoder"][:2] == [1000, 0.8]
    assert table(weak.said)["PCA 1000"][3] < 1e-6  # it needs no more than 784
    assert "+ 0.0000 =" in weak.said and "+ 0.0000 =" not in strong.said
    assert np.mean(strong.encoded_imgs) < np.mean(weak.encoded_imgs) / 2


def test_middle_and_split_of_deep(run, npz):
    words = "--epochs", "1", "--encoding-dim", "800", "--split", "4"
    done = run("deep", *words, data=npz)
    assert [row[0] for row in table(done.said).values()] == [800, 784, 64, 64]
    codes = predict(second_parts(done.autoencoder, 4)[0], done.x_test)
    np.testing.assert_allclose(done.encoded_imgs2, codes, 1e-4)


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_shows_the_last_run_again(name, run, first_runs, npz):
    """In windows that have the pictures' names and fit a laptop."""
    folder, expected = first_runs[name].args.folder, table(first_runs[name].said)
    before = contents(folder)
    done = run(name, "--load", data=npz, models=folder.parent)
    assert "Epoch" not in done.said and not hasattr(done, "history")
    for label, row in table(done.said).items():
        assert row == pytest.approx(expected[label], abs=2e-4, rel=2e-3)
    after = contents(folder)
    assert before.keys() == after.keys()
    kept = {x.name for x in after if before[x] == after[x]}
    assert len([x for x in kept if x.endswith(".pkl")]) == 6 and "history.png" in kept

    assert len(done.shown) == 2 and done.shown[0] == "reconstructions.png"
    for title in done.shown:
        figure = plt.figure(title)
        width, height = figure.get_size_inches()
        assert width * figure.dpi <= 1300 and height * figure.dpi <= 620
        pixels = imread(folder / title).shape
        np.testing.assert_allclose(pixels[:2], (120 * height, 120 * width), atol=1)


# What readers try first: a script, what they replace in it, and by what, ...
DROPOUT = "encoded = Dropout(0.5)(encoded"
NORMED = "encoded = BatchNormalization()(encoded)"
OUTPUT = "decoded = Dense(784, "
FLAT = "\nencoded = Dense(128)(Flatten()(encoded))"
PARTS = "autoencoder = Model(input_img, decoder(encoder(input_img)))"
EXPERIMENTS = {
    "Dropout": ("simple", OUTPUT, f"{DROPOUT})\n{NORMED}\n{OUTPUT}"),
    "noise that stays": ("simple", OUTPUT, f"{DROPOUT}, training=True)\n{OUTPUT}"),
    "a network of networks": ("simple", "autoencoder.summary()", PARTS),
    "a code of one axis": (
        *("conv", "  # (4, 4, 8): 128 values", FLAT),
        *('"same")(encoded)', '"same")(Reshape((4, 4, 8))(encoded))'),
    ),
}
# ... and what they have to import for it.
IMPORTS = "import keras\nfrom keras.layers import *\nimport common  # isort: skip"


def changed(folder, name, *changes):
    """Write a script with changes in it, as readers make them; returns its path."""
    text, path = PATHS[name].read_text(encoding="utf-8"), folder / "changed.py"
    changes = [*changes, "import common  # isort: skip", IMPORTS]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, run, tmp_path):
    path = changed(tmp_path, *EXPERIMENTS[what])
    done = run(path, "--epochs", "1")  # which saves and loads
    assert len(table(done.said)) == 2
    if "noise" not in what:
        images = predict(done.autoencoder, done.x_test)
        np.testing.assert_allclose(done.decoded_imgs, images, atol=1e-5)


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, run, tmp_path):
    new = f"encoded = {layer}(abs)(encoded)\n{OUTPUT}"
    path = changed(tmp_path, "simple", OUTPUT, new)
    with pytest.raises(common.UserError, match="^.*register_keras_ser.*$") as caught:
        run(path, "--epochs", "1")
    assert "Epoch" not in caught.value.said


DEFAULTS = {"simple": (50, 256, 16, 0.0001), "deep": (50, 256, 32, 2), "conv": (1, 128)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_what_it_is_and_its_defaults(name, run):
    with pytest.raises(SystemExit, match="0") as caught:
        run(name, "--help")
    said = " ".join(caught.value.said.split())
    assert PATHS[name].read_text(encoding="utf-8")[3:].split(":")[0] in said
    for default in (*DEFAULTS[name], 0, ROOT / "models"):
        assert f" ({default}) " in said


def test_folder_of_the_models(run, tmp_path):
    """It is made before the training, and by that alone."""
    (tmp_path / "file").touch()
    with pytest.raises(common.UserError, match="^--models takes a folder.*$") as caught:
        run("deep", models=tmp_path / "file")
    assert "MNIST" not in caught.value.said
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


def test_errors_in_a_terminal(early):
    """What the user can mend is one line, what Python finds keeps its traceback."""
    for name, last in {"no data": "error: ", "mistyped": "NameError: "}.items():
        out, err = early[name].communicate(timeout=180)
        assert early[name].returncode == 1 and "Epoch" not in out
        assert err.splitlines()[-1].startswith(last)
        assert ("Traceback" in err) == (name == "mistyped")


@posix
def test_ctrl_c(few, silent, tmp_path):
    """The first keeps what was learnt; a second one, or one in a download, leaves at once."""
    words = "--epochs", "100000", "--models", tmp_path, "--data", few
    once, twice = (start(PATHS[name], *words) for name in ("simple", "conv"))
    words = "--models", tmp_path
    hanging = start(PATHS["deep"], *words, KERAS_HOME=str(tmp_path), https_proxy=silent)
    for process, sign in ((once, "Epoch 3/"), (twice, "Epoch 3/"), (hanging, "")):
        assert any(sign in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
    assert any("once more to leave" in line for line in twice.stderr)
    twice.send_signal(signal.SIGINT)
    out, err = once.communicate(timeout=180)
    assert once.returncode == 0, err
    assert "STOPPED EARLY by Ctrl-C" in err.splitlines()[-1]
    assert table(out)["autoencoder"][0] == 16
    for process in (twice, hanging):
        _, err = process.communicate(timeout=180)
        assert process.returncode == -signal.SIGINT and "Traceback" not in err


@posix
def test_ctrl_c_is_as_it_was_afterwards(monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)  # in a shell, which goes on
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), common.ctrl_c_stops(model):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == usual
    with common.ctrl_c_stops(model):
        signal.raise_signal(signal.SIGINT)
        assert model.stop_training
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
