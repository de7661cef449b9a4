"""The experiments: each script runs to its end on few digits; the text follows what is found."""

import common

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.experiments

PROJECT = Path(__file__).resolve().parent.parent
EXPERIMENTS = PROJECT / "models" / "experiments"
sys.path.insert(0, str(EXPERIMENTS))
SCRIPTS = [path.stem for path in EXPERIMENTS.glob("*.py")]
for helper in ("lab", "everything", "drawing", "own_digit"):
    SCRIPTS.remove(helper)
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
    assert f"python models/experiments/{name}.py" in text
    assert f'"{name}"' in (EXPERIMENTS / "everything.py").read_text(encoding="utf-8")


def test_a_changed_line_that_is_not_in_the_script_is_an_error(tmp_path):
    import lab

    args = lab.argparse.Namespace(runs=tmp_path, quick=True)
    with pytest.raises(lab.common.UserError, match="0 times, not once: Dense, Dropout"):
        lab.run(args, "simple_dropout", "", [("Dense, Dropout", "Dense")])
    assert list(tmp_path.iterdir()) == []


def test_the_check_fails_where_the_text_has_other_figures(folder, data, environment, tmp_path):
    for path in PROJECT.glob("*.py"):
        shutil.copy(path, tmp_path)
    copy = tmp_path / "models" / "experiments"
    shutil.copytree(EXPERIMENTS, copy)
    command = [sys.executable, copy / "everything.py", "--check", "--only", "noise"]
    command += ["--data", data, "--runs", folder / "runs" / "quick"]
    environment = dict(environment, PYTHONPATH="")
    # The text has the figures of the whole of MNIST, but these are few digits.
    first = subprocess.run(
        command, check=False, env=environment, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert first.returncode == 1
    assert "error: README.md had other figures of noise" in first.stderr
    assert (copy / "README.md").read_bytes() != (EXPERIMENTS / "README.md").read_bytes()
    subprocess.run(command, env=environment, check=True)
