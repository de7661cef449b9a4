"""The experiments: each script runs to its end on few digits; the text follows what is found."""

import common

import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.experiments

PROJECT = Path(__file__).resolve().parent.parent
EXPERIMENTS = PROJECT / "models" / "experiments"
sys.path.insert(0, str(EXPERIMENTS))
SCRIPTS = [path.stem for path in EXPERIMENTS.glob("*.py")]
OTHERS = ["lab", "everything", "maps"]
for name in OTHERS:
    SCRIPTS.remove(name)
SCRIPTS.sort()

PROGRAM = PROJECT / "tests" / "programs" / "experiments.py"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables that keep the user's own settings out, and windows closed."""
    home = str(tmp_path_factory.mktemp("home"))
    return dict(os.environ, KERAS_HOME=home, MPLBACKEND="agg", PYTHONPATH=str(EXPERIMENTS))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A file of 1,000 real digits to train with, and 200 to test."""
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    with np.load(common.MNIST) as file:
        np.savez(
            path,
            x_train=file["x_train"][:1000],
            y_train=file["y_train"][:1000],
            x_test=file["x_test"][:200],
            y_test=file["y_test"][:200],
        )
    return path


@pytest.fixture(scope="module")
def folder(data, environment, tmp_path_factory):
    """What all scripts printed, NAME.txt, and what they trained, runs/."""
    folder = tmp_path_factory.mktemp("experiments")
    text = (EXPERIMENTS / "README.md").read_bytes()
    command = [sys.executable, PROGRAM, folder]
    # As one word, so that there are as many words whatever the folders are.
    command += [f"--data={data}", f"--runs={folder / 'runs'}", "--quick"] + SCRIPTS
    subprocess.run(command, env=environment, check=True)
    assert (EXPERIMENTS / "README.md").read_bytes() == text
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_runs_to_its_end_and_prints_its_table(name, folder):
    said = (folder / f"{name}.txt").read_text(encoding="utf-8")
    assert "Traceback" not in said, said
    assert "\n| --- |" in said


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_has_its_place_in_the_text_and_in_the_one_command(name):
    text = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert text.count(f"<!-- {name} -->") == 1
    assert f"`{name}.py`" in text
    assert f'"{name}"' in (EXPERIMENTS / "everything.py").read_text(encoding="utf-8")


@pytest.fixture
def lab_and_args(data, tmp_path):
    """The module lab, and options of an experiment with an epoch on few digits."""
    import lab

    return lab, lab.argparse.Namespace(data=data, runs=tmp_path, quick=True, seeds=[0])


def test_a_training_is_found_again_by_what_it_depends_on(lab_and_args, data, tmp_path):
    lab, args = lab_and_args
    folder = lab.run(args, "simple", l1=0).folder
    weights = (folder / "encoder_weights.pkl").stat().st_mtime_ns
    assert lab.run(args, "simple", l1=0.0, encoding_dim=16).folder == folder
    assert (folder / "encoder_weights.pkl").stat().st_mtime_ns == weights
    changed = [
        ("x_train = x_train.reshape(len(x_train), 784)", "x_train = x_train[:500].reshape(-1, 784)")
    ]
    cut = [("encoder = Model(input_img, encoded)", "encoder = Model(input_img, decoded)")]
    folders = [
        folder,
        lab.run(args, "simple", l1=0.1).folder,
        lab.run(args, "simple", l1=0, seed=1).folder,
        lab.run(args, "simple", l1=0, batch_size=128).folder,
        lab.run(args, "simple", l1=0, optimizer=keras.optimizers.Adam(0.01)).folder,
        lab.run(args, "simple", changed, l1=0).folder,
        lab.run(args, "simple", cut, l1=0).folder,
    ]
    assert len(set(folders)) == len(folders)


def test_a_changed_statement_is_found_however_it_is_written(lab_and_args):
    lab, args = lab_and_args
    spelt = 'decoded = Dense(784,\n  activation="sigmoid")(encoded)  # the same'
    variables = lab.build(args, "simple", [(spelt, "decoded = Dense(784)(encoded)")])
    assert variables["autoencoder"].layers[-1].activation.__name__ == "linear"


def test_a_changed_statement_that_is_not_in_the_script_is_an_error(lab_and_args):
    lab, args = lab_and_args
    with pytest.raises(ValueError, match="simple: 0 times, not once: decoded = 1"):
        lab.build(args, "simple", [("decoded = 1", "decoded = 2")])


def test_a_training_that_ctrl_c_ended_does_not_count(lab_and_args, monkeypatch):
    lab, args = lab_and_args
    args.quick = False

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            signal.raise_signal(signal.SIGINT)

    fit = keras.Model.fit

    def fit_and_stop(self, *words, callbacks, **options):
        return fit(self, *words, callbacks=[Stop()] + callbacks, **options)

    monkeypatch.setattr(keras.Model, "fit", fit_and_stop)
    with pytest.raises(KeyboardInterrupt):
        lab.run(args, "simple", epochs=3)
    assert list(args.runs.glob("*/history.json")) == []


def test_differences_are_of_pairs(lab_and_args):
    lab, _ = lab_and_args
    assert lab.difference([2, 4, 6], [1, 3, 5], 1) == "+1.0 ± 0.0"
    assert lab.difference([1, 2, 3], [3, 2, 1], 1) == "+0.0 ± 2.0 (no difference shown)"
    assert lab.difference([1], [3], 1) == "-2.0"
    assert lab.spread([1, 2, 3], 2) == "2.00 ± 1.00"


def test_only_write_writes_into_the_text(lab_and_args, monkeypatch, tmp_path):
    lab, args = lab_and_args
    monkeypatch.setattr(lab, "FOLDER", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("above\n<!-- a -->\nold\n<!-- end -->\nbelow <!-- end -->\n", "utf-8")
    args.write = False
    lab.report(args, "a", ["x", "y"], [["1", "2"]], "A sentence.")
    assert "old" in readme.read_text("utf-8")
    args.write = True
    lab.report(args, "a", ["x", "y"], [["1", "2"]], "A sentence.")
    new = "| x | y |\n| --- | --- |\n| 1 | 2 |\n\nA sentence."
    expected = f"above\n<!-- a -->\n{new}\n<!-- end -->\nbelow <!-- end -->\n"
    assert readme.read_text("utf-8") == expected
