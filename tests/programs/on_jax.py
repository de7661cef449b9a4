"""Runs the three scripts with the words of the command line, where TensorFlow is missing.

Before, it imports common in a thread, as a server may do: the process stays as it was.
"""

import os
import random
import runpy
import signal
import sys
import threading
from pathlib import Path

import keras
import numpy as np

sys.modules["tensorflow"] = None  # to import it is an error now


def state():
    """What an import may not change of the process."""
    environment = dict(os.environ)
    environment["TF_CPP_MIN_LOG_LEVEL"] = ""  # which common says it sets
    return {
        "environment": environment,
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "descriptors": [os.fstat(number)[1:3] for number in (0, 1, 2)],
        "hook": sys.excepthook,
        "stdout": (sys.stdout, sys.stdout.errors),
        "random numbers": (random.getstate(), np.random.get_state()[1].tolist()),
        "Keras": dict(vars(keras.Model)),
    }


before = state()
thread = threading.Thread(target=__import__, args=["common"])
thread.start()
thread.join()
after = state()
changed = [name for name in before if before[name] != after[name]]
print("changed by the import:", changed)

root = Path(__file__).resolve().parents[2]
words = sys.argv[1:]
for name in ("simple", "deep", "conv"):
    path = str(root / f"{name}_autoencoder.py")
    sys.argv = [path, *words]
    runpy.run_path(path, run_name="__main__")
