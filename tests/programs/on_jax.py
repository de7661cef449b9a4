"""Runs the three scripts with the words of the command line, where TensorFlow is missing."""

import runpy
import sys
from pathlib import Path

sys.modules["tensorflow"] = None  # to import it is an error now

root = Path(__file__).resolve().parents[2]
words = sys.argv[1:]
for name in ("simple", "deep", "conv"):
    path = str(root / f"{name}_autoencoder.py")
    sys.argv = [path, *words]
    runpy.run_path(path, run_name="__main__")
