"""Runs experiments, quickly, in one process: TensorFlow takes seconds to start.

The words: a folder for what each prints, two options, and the scripts' names.
"""

import lab

import contextlib
import io
import runpy
import sys
import traceback
from pathlib import Path

import matplotlib.pyplot as plt


def run(path, words):
    """Run a script as a program, and return what it prints."""
    said = io.StringIO()
    before = sys.argv
    sys.argv = [str(path)] + words
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(path), run_name="__main__")
    except BaseException:  # noqa: BLE001 (the test shows it)
        said.write(traceback.format_exc())
    finally:
        sys.argv = before
        plt.close("all")
    return said.getvalue()


folder = Path(sys.argv[1])
for name in sys.argv[4:]:
    said = run(lab.FOLDER / f"{name}.py", ["--quick"] + sys.argv[2:4])
    (folder / f"{name}.txt").write_text(said, encoding="utf-8")
