"""What the tests share: ways to run a script, and figures by their definition.

A script can be run in three ways:

- `Cells`: cell by cell, in this process, as in a shell; some cells, in any order, again.
- `run_script`: as a program with options, from its first line to its last, in this process,
  where TensorFlow has been started.
- `run_process`: in a Python of its own, which takes seconds, for what concerns the process.
"""

import contextlib
import io
import os
import re
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
# What each script draws of its own; all draw reconstructions, PCA's and the losses.
PICTURES = {
    "simple": {"each_number.png"},
    "deep": {"second_split.png", "interpolation.png"},
    "conv": {"layers.png"},
}
# A row of the table: label, code, compression, cross-entropy, MSE, PSNR, 1-NN accuracy.
ROW = re.compile(r"(?m)^(\w.*?) +(\d+) +(\S+)x +(\S+) +(\S+) +(\S+) dB +(\S+)%$")
COLUMNS = ["code", "compression", "entropy", "mse", "psnr", "accuracy"]


def run_script(path, *words, folder=ROOT):
    """Run a script as the program, in this process, as if it lay in `folder`.

    Returns its variables, what it `said`, the windows that it has `shown`, and its `figures`.
    What it said before an error is in the error's `said`.
    """
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    variables = {"__name__": "__main__"}
    said = io.StringIO()
    shown = []

    def show():
        shown.extend(plt.get_figlabels())

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", [str(folder / path.name)] + [str(word) for word in words])
        patch.setattr(plt, "show", show)
        plt.close("all")
        try:
            exec(code, variables)  # noqa: S102
        except BaseException as error:
            error.said = said.getvalue()
            raise
    figures = {label: plt.figure(label) for label in plt.get_figlabels()}
    del variables["__builtins__"]
    return SimpleNamespace(**variables, said=said.getvalue(), shown=shown, figures=figures)


def quicker(name):
    """The text of a script that draws one image in a row, and not ten or more."""
    text = PATHS[name].read_text(encoding="utf-8")
    for before in ("\nn = ", "(rows, "):
        text = re.sub(re.escape(before) + r"1\d", f"{before}1", text)
    return text


class Cells:
    """A script run cell by cell, in a shell; its variables are attributes."""

    def __init__(self, name, data, models):
        self.cells = quicker(name).split("# %% ")[1:]
        self.variables = {}
        self.output = io.StringIO()
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

    def run_from(self, title):
        """Run the cell that begins with this title, and all after it."""
        titles = [cell.split("\n")[0] for cell in self.cells]
        starts = [number for number, text in enumerate(titles) if text.startswith(title)]
        self.run(*titles[starts[0] :])


PROCESSES = []


def run_process(path, *words, python=(), typed="", **environment):
    """Run a script in a Python of its own, without a display; returns what `subprocess.run` does.

    `python`: options of Python's own. `typed`: what is typed in.
    """
    command = [sys.executable]
    command += python
    command += [str(path)]
    command += [str(word) for word in words]
    variables = dict(os.environ)
    variables.update(DISPLAY="", PYTHONUNBUFFERED="1", PYTHONUTF8="1")
    variables["TF_NUM_INTRAOP_THREADS"] = "1"  # it leaves a core to the tests
    variables["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # JAX compiles sooner
    variables.update(environment)
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, env=variables, encoding="utf-8", stdin=pipe, stdout=pipe, stderr=pipe
    )
    PROCESSES.append(process)
    out, err = process.communicate(typed, timeout=180)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def rows_of(output):
    """The rows of the table in an output: each with its label, and figures as in COLUMNS."""
    rows = []
    for label, *figures in ROW.findall(output):
        numbers = [float(figure) for figure in figures]
        rows.append(SimpleNamespace(label=label, **dict(zip(COLUMNS, numbers, strict=True))))
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
    """The images of a figure of `plot_rows`, label to values between 0 and 1 of their colours.

    The images of a row are those right of its label, from left to right, without ticks.
    """
    rows = {}
    for axes in figure.axes:
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
        expected = expected.reshape(len(expected), 28, 28)
    np.testing.assert_allclose(images, expected[: len(images)], atol=atol)


def red_blue(values):
    """As a row of `red_blue` is drawn: 0 is in the middle, the largest magnitude at an end."""
    return (values / np.abs(values).max() + 1) / 2
