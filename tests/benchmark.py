"""Time the scripts' own settings against the post's plain `compile` and `fit`.

python tests/benchmark.py --data mnist.npz

Both kinds of run alternate in one process, so that a slow moment of the machine
meets both. It takes some fifteen minutes on two cores; nothing else should be running.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import contextlib
import io
import itertools

import common  # first: it keeps TensorFlow's start quiet

# isort: split
import keras
import tensorflow as tf

# Epochs for one measurement: the first, in which TensorFlow traces and compiles, does
# not count, and XLA is chosen only for trainings of some length.
EPOCHS = {"simple": 12, "deep": 12, "conv": 4}


def run(name, plain, arguments):
    """One training by a script's `main`: seconds of an epoch, last validation loss."""
    ends, losses = [], []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())
            losses.append(logs["val_loss"])

    def timed_fit(self, *positional, callbacks, **named):
        added = [Clock()] if plain else [*callbacks, Clock()]
        return fit(self, *positional, callbacks=added, **named)

    fit, speed = keras.Model.fit, common.speed_settings
    keras.Model.fit = timed_fit
    if plain:
        common.speed_settings = lambda *_, **__: {}
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": plain})
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            __import__(f"{name}_autoencoder").main(
                [*arguments, "--epochs", str(EPOCHS[name]), "--no-show"]
            )
    finally:
        keras.Model.fit, common.speed_settings = fit, speed
    # The fastest epoch: what else the machine does can only add to the time.
    return min(b - a for a, b in itertools.pairwise(ends)), losses[-1]


def whole_run(plain, arguments):
    """Seconds that `python simple_autoencoder.py` takes, its start and end included."""
    program = "import sys, common, simple_autoencoder as script;"
    if plain:
        program += "common.speed_settings = lambda *_, **__: {};"
        program += "common.tf.config.optimizer.set_experimental_options("
        program += "{'arithmetic_optimization': True});"
    program += "script.main(sys.argv[1:])"
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments, "--no-show"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def peak_memory(name, arguments):
    """GiB that a default run of a script takes at most."""
    # Not getrusage, whose peak a process inherits from the one that started it.
    program = (
        f"import re, sys, {name}_autoencoder as script;"
        "script.main(sys.argv[1:]);"
        "status = open('/proc/self/status').read();"
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1])"
    )
    command = [sys.executable, "-c", program, *arguments, "--no-show"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return int(done.stdout.split()[-1]) / 2**20  # Linux counts in kB


def compare(label, measure, rounds):
    """Print a row of the table: the median of the rounds' ratios, and their spread."""
    plain, ours, losses = [], [], set()
    for _ in range(rounds):
        for seconds, is_plain in ((plain, True), (ours, False)):
            result = measure(is_plain)
            if isinstance(result, tuple):
                losses.add((is_plain, f"{result[1]:.5f}"))
                result = result[0]
            seconds.append(result)
    ratios = sorted(b / a for a, b in zip(plain, ours, strict=True))
    shown = [
        " ".join(sorted(loss for is_plain, loss in losses if is_plain is kind)) or "–"
        for kind in (True, False)
    ]
    print(
        f"| {label} | {statistics.median(plain):.2f} s | {statistics.median(ours):.2f} s "
        f"| **{statistics.median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f}) "
        f"| {shown[0]} | {shown[1]} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", metavar="FILE.npz", help="the whole of MNIST")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as models:
        arguments = ["--models", models]
        if args.data:
            arguments += ["--data", str(Path(args.data).resolve())]
        print(
            "| | plain | ours | ratio (spread) | loss, plain | loss, ours |\n"
            "|---|---|---|---|---|---|"
        )
        for name in EPOCHS:
            compare(
                f"{name}, an epoch",
                lambda plain, name=name: run(name, plain, arguments),
                args.rounds,
            )
        compare(
            "simple, a whole default run",
            lambda plain: whole_run(plain, arguments),
            args.rounds,
        )
        print()
        for name in EPOCHS:
            peak = peak_memory(name, arguments)
            print(f"Peak memory of a default run of {name}: {peak:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
