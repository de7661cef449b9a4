"""Imports common in a thread, as a server may do, and loads MNIST: all stays as it was."""

import os
import signal
import sys
import threading
import urllib.request

import keras
import matplotlib
import numpy as np
import tensorflow as tf


def functions(module):
    """The functions of a module, by name."""
    return {name: value for name, value in vars(module).items() if callable(value)}


def state():
    """What a library may not change of its process."""
    environment = dict(os.environ)
    environment["TF_CPP_MIN_LOG_LEVEL"] = ""  # which common says that it sets
    return {
        "keras.Model": functions(keras.Model),
        "keras.utils": functions(keras.utils),
        "keras.datasets.mnist": functions(keras.datasets.mnist),
        "tf.random": functions(tf.random),
        "urllib.request": functions(urllib.request),
        "environment": environment,
        "descriptors": [os.fstat(number)[1:3] for number in (0, 1, 2)],
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "Matplotlib's backend": str(dict.__getitem__(matplotlib.rcParams, "backend")),
        "TensorFlow's options": tf.config.optimizer.get_experimental_options(),
        "float type": keras.config.floatx(),
        "random numbers": np.random.get_state()[1].tolist(),
        "hook": sys.excepthook,
        "stdout": (sys.stdout, sys.stdout.errors),
    }


def check(before, when):
    """Stop with an error if the state is another one."""
    for name, now in state().items():
        assert now == before[name], f"{name} changed {when}"


before = state()
thread = threading.Thread(target=__import__, args=["common"])
thread.start()
thread.join()
check(before, "at the import")
assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
sys.modules["common"].load_mnist(patience=1)
check(before, "by load_mnist")
if os.name == "posix":  # Windows has no list of children
    try:
        os.waitpid(-1, os.WNOHANG)
        sys.exit("there is a child process")
    except ChildProcessError:
        pass
print("unchanged, and without children")
