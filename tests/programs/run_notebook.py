"""Runs the simple script as a notebook, in a kernel.

By jupytext, with its pictures inline and options changed. The words: a file of digits, and a
folder for the models. Printed: how many pictures it has, and the last cell's output.
"""

import os
import sys
from pathlib import Path

import jupytext
import nbclient
import nbformat

root = Path(__file__).resolve().parents[2]
data, models = [Path(word).as_posix() for word in sys.argv[1:]]
text = (root / "simple_autoencoder.py").read_text(encoding="utf-8")
notebook = jupytext.reads(text, "py:percent")
change = f"args.data = '{data}'\nargs.models = '{models}'\nargs.epochs = 1"
notebook.cells.insert(2, nbformat.v4.new_code_cell(change))  # after the options
notebook.cells.append(nbformat.v4.new_code_cell("print(encoded_imgs.shape)"))

os.environ.pop("MPLBACKEND")
nbclient.NotebookClient(notebook, timeout=180).execute()
pictures = 0
for cell in notebook.cells:
    outputs = cell.get("outputs", ())
    pictures += sum("image/png" in output.get("data", ()) for output in outputs)
print(pictures, "pictures")
print(notebook.cells[-1]["outputs"][0]["text"], end="")
