"""Runs the convolutional script as a notebook, and then the simple one by %run, in a kernel.

By jupytext, with its pictures inline and an option changed. The words: a file of digits, and a
folder for the models. Printed: how many pictures either has, and the last cell's output.
"""

import os
import sys
from pathlib import Path

import jupytext
import nbclient
import nbformat

root = Path(__file__).resolve().parents[2]
data, models = [Path(word).as_posix() for word in sys.argv[1:]]
text = (root / "conv_autoencoder.py").read_text(encoding="utf-8")
notebook = jupytext.reads(text, "py:percent")
change = nbformat.v4.new_code_cell(f"args.data = '{data}'\nargs.models = '{models}'")
notebook.cells.insert(2, change)  # after the options
other = (root / "simple_autoencoder.py").as_posix()
run = f"%run {other} --epochs 1 --data {data} --models {models}"
notebook.cells.append(nbformat.v4.new_code_cell(run))
notebook.cells.append(nbformat.v4.new_code_cell("print(encoded_imgs.shape)"))

del os.environ["MPLBACKEND"]
nbclient.NotebookClient(notebook, timeout=180).execute()
pictures = []
for cell in notebook.cells:
    outputs = cell.get("outputs", ())
    pictures.append(sum("image/png" in output.get("data", ()) for output in outputs))
print("cells:", sum(pictures[:-2]), "pictures")
print("%run:", pictures[-2], "pictures")
print(notebook.cells[-1]["outputs"][0]["text"], end="")
