"""What the tests share: ways to run a script, and figures by their definition.

A script can be run in four ways. Take the first one that shows what the test is about:

- `Cells`: cell by cell, in this process, as in a shell; some cells, in any order, again.
- `run_script` (by the fixtures `run` and `first_run`): as a program with options, from its
  first line to its last, in this process. It is quick, as TensorFlow has been started.
- `changed_script`: the same of a script in which lines were replaced, as readers do it.
- `start`: in a Python of its own, which takes seconds. For what concerns the whole process:
  its exit, Ctrl-C, another backend, settings that are read at the start.
"""

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ["simple", "deep", "conv"]
PATHS = {name: ROOT / f"{name}_autoencoder.py" for name in SCRIPTS}
# A row of the table: label, code, compression, cross-entropy, MSE, PSNR, 1-NN accuracy.
ROW = re.compile(r"(?m)^(\w.*?) +(\d+) +(\S+)x +(\S+) +(\S+) +(\S+) dB +(\S+)%$")
COLUMNS = ["code", "compression", "entropy", "mse", "psnr", "accuracy"]


class Output(io.TextIOWrapper):
    """What a program prints, as bytes behind it."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n", write_through=True)

    def text(self):
        return self.buffer.getvalue().decode(self.encoding)


def run_script(path, *words, output=None):
    """Run a script as the program, in this process.

    Returns its variables, what it `said`, and the windows that it has `shown`. What it said
    before an error is in the error's `said`.
    """
    if output is None:
        output = Output()
    shown = []

    def show():
        shown.extend(plt.get_figlabels())

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setattr(sys, "argv", [str(path)] + [str(word) for word in words])
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setattr(plt, "show", show)
        plt.close("all")
        try:
            variables = runpy.run_path(str(path), run_name="__main__")
        except BaseException as error:
            error.said = output.text()
            raise
    figures = {label: plt.figure(label) for label in plt.get_figlabels()}
    return SimpleNamespace(**variables, said=output.text(), shown=shown, figures=figures)


def changed_script(folder, name, changes, imports=""):
    """Write a script with lines replaced, as readers do it; returns its path.

    `changes`: old text to new text, each of which must stand in the script once.
    """
    text = PATHS[name].read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    text = text.replace("import argparse\n", f"import argparse\n{imports}\n", 1)
    path = folder / "changed.py"
    path.write_text(text, encoding="utf-8")
    return path


class Cells:
    """A script run cell by cell, in a shell; its variables are attributes.

    It draws two digits in a row, to be quicker.
    """

    def __init__(self, name, data, models):
        text = PATHS[name].read_text(encoding="utf-8").replace("\nn = 1", "\nn = 2  # 1")
        self.cells = text.split("# %% ")[1:]
        self.variables = {}
        self.output = Output()
        self.run("准备")
        self.args.data = data
        self.args.no_show = True
        self.args.epochs = 1
        self.args.models = str(models)

    def __getattr__(self, name):
        return self.variables[name]

    def run(self, *titles):
        """Run the cells that begin with these titles."""
        for title in titles:
            (cell,) = [cell for cell in self.cells if cell.startswith(title)]
            with contextlib.redirect_stdout(self.output):
                exec(compile(f"# {cell}", title, "exec"), self.variables)  # noqa: S102 (as a shell)

    def said(self):
        """What the cells have printed."""
        return self.output.text()

    def run_from(self, title):
        """Run the cell that begins with this title, and all after it."""
        titles = [cell.split("\n")[0] for cell in self.cells]
        starts = [number for number, text in enumerate(titles) if text.startswith(title)]
        self.run(*titles[starts[0] :])


PROCESSES = []


def start(path, *words, options=(), **environment):
    """Start a script in a Python of its own, without a display; it ends with the tests."""
    command = [sys.executable]
    command += options
    command += [str(path)]
    command += [str(word) for word in words]
    variables = dict(os.environ)
    variables.update(DISPLAY="", PYTHONUNBUFFERED="1", PYTHONUTF8="1")
    variables["TF_NUM_INTRAOP_THREADS"] = "1"  # it leaves a core to the tests
    variables.update(environment)
    process = subprocess.Popen(
        command,
        env=variables,
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if os.name == "posix":  # the tests do not wait for it yet
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    PROCESSES.append(process)
    return process


def write_npz(path, train, test):
    """Write digits into a file laid out as Keras's mnist.npz; returns its path."""
    x_train, y_train = train
    x_test, y_test = test
    np.savez(
        path,
        x_train=np.round(x_train * 255).astype("uint8"),
        y_train=y_train,
        x_test=np.round(x_test * 255).astype("uint8"),
        y_test=y_test,
    )
    return path


def contents(folder):
    """The bytes of each file under a folder, by its path."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(output):
    """The rows of the table in an output: each with its label, and figures as in COLUMNS."""
    rows = []
    for label, *figures in ROW.findall(output):
        numbers = [float(figure) for figure in figures]
        row = SimpleNamespace(**dict(zip(COLUMNS, numbers, strict=True)))
        row.label = label
        rows.append(row)
    return rows


def table(output):
    """The rows of the table in an output, by label."""
    return {row.label: row for row in rows_of(output)}


def predict(model, x):
    """What a network makes of x, as an array."""
    return model.predict(x, batch_size=1000, verbose=0)


def mse(a, b):
    """The mean squared error."""
    return float(np.mean((a - b) ** 2))


def entropy(x, images):
    """The mean binary cross-entropy, by its definition, in double precision."""
    target = x.astype("float64")
    p = np.clip(images.astype("float64"), 1e-7, 1 - 1e-7)
    return float(-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)))


def drawn_rows(figure):
    """The images of a figure of `plot_rows`: label to images, from 0 (black) to 1.

    The images of a row are those right of its label, from left to right, without frames or ticks.
    """
    rows = {}
    for axes in figure.axes:
        assert not axes.get_frame_on()
        assert list(axes.get_xticks()) == list(axes.get_yticks()) == []
        if axes.get_ylabel():
            images = []
            rows[axes.get_ylabel()] = images
        (image,) = axes.images
        images.append(np.ma.filled(image.norm(image.get_array()), np.nan))
    return rows


def assert_images(images, expected, atol=1e-5):
    """Drawn images are the first ones of the expected, (n, height, width) or (n, 784)."""
    if expected.ndim == 2:
        expected_images = expected.reshape(len(expected), 28, 28)
    else:
        expected_images = expected
    np.testing.assert_allclose(images, expected_images[: len(images)], atol=atol)


def by_largest(values):
    """As a row of `scaled` is drawn: the largest is white, 1, or red, with 0 in the middle."""
    shares = values / np.abs(values).max()
    if values.min() < 0:
        return (shares + 1) / 2
    return shares
