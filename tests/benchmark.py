"""Time the scripts' own settings, on either backend, against the post's plain training.

python tests/benchmark.py --data mnist.npz

The kinds of run alternate, so that a slow moment of the machine meets all of them. It
takes some twenty minutes on two cores; nothing else should be running.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"plain": "tensorflow", "TensorFlow": "tensorflow", "JAX": "jax"}
# Epochs for one measurement: the first, which traces and compiles, does not count, and
# XLA is chosen only for trainings of some length.
EPOCHS = {"simple": 12, "deep": 12, "conv": 2}

# Put in front of a script, and its clock into its `fit`.
CLOCK = """
import json, re, sys, time
from pathlib import Path
{hide}
import common
import keras

class Clock(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        ends.append(time.perf_counter())
        losses.append(logs["val_loss"])

ends, losses = [], []
"""
# Put behind it: Linux tells the peak of the memory, in kB.
REPORT = """
peak = Path("/proc/self/status")
peak = int(re.search(r"VmHWM:\\s+(\\d+)", peak.read_text())[1]) if peak.exists() else 0
print(json.dumps([ends, losses[-1], peak / 2**20]))
"""


def program(script, kind):
    """A script with a clock. Plain is what the post writes: Keras's own settings. For JAX,
    TensorFlow is as good as not installed."""
    source = (ROOT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
    old, new = (
        "            callbacks=callbacks,\n",
        "callbacks=[*callbacks, Clock()],\n",
    )
    if script != "conv":
        old, new = "verbose=2,\n", "verbose=2, callbacks=[Clock()],\n"
    changes = [(old, new)]
    if kind == "plain":
        changes.append(("common.speed_settings(autoencoder, args.epochs)", "{}"))
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    hide = 'sys.modules["tensorflow"] = None' if kind == "JAX" else ""
    return CLOCK.format(hide=hide) + source + REPORT


def run(script, kind, folder, *arguments):
    """Run a script: `(seconds, seconds of an epoch, validation loss, GiB at the peak)`."""
    path = Path(folder) / f"{script}_{kind}.py"
    path.write_text(program(script, kind), encoding="utf-8")
    command = [sys.executable, path, *arguments, "--models", folder, "--no-show"]
    env = os.environ | {"KERAS_BACKEND": KINDS[kind], "PYTHONPATH": str(ROOT)}
    pipe = {"stdout": subprocess.PIPE, "encoding": "utf-8"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, **pipe)
    seconds = time.perf_counter() - start
    ends, loss, peak = json.loads(done.stdout.splitlines()[-1])
    # The fastest epoch: what else the machine does can only add to the time.
    return seconds, min(b - a for a, b in itertools.pairwise(ends)), loss, peak


def row(label, times, losses=None):
    """Print a row of the table: medians, and the ratios to plain with their spread."""
    cells = [label, f"{statistics.median(times['plain']):.2f} s"]
    for kind in list(times)[1:]:
        ratios = sorted(b / a for a, b in zip(times["plain"], times[kind], strict=True))
        cells.append(f"{statistics.median(times[kind]):.2f} s")
        ends = f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        cells.append(f"**{statistics.median(ratios):.2f}** {ends}")
    cells += [f"{loss:.4f}" for loss in losses.values()] if losses else ["–"] * 3
    print(f"| {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    whole = {"type": Path, "metavar": "FILE.npz", "required": True}
    parser.add_argument("--data", **whole, help="the whole of MNIST")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    heads = ["", "plain", "TensorFlow", "of plain", "JAX", "of plain"]
    heads += [f"loss, {kind}" for kind in KINDS]
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    memory = []
    with tempfile.TemporaryDirectory() as models:
        fixed = [models, "--data", args.data.resolve()]
        for script, epochs in EPOCHS.items():
            times, losses, peaks = {kind: [] for kind in KINDS}, {}, {}
            options = [*fixed, "--epochs", str(epochs)]
            for _ in range(args.rounds):
                for kind in KINDS:
                    result = run(script, kind, *options)
                    _, seconds, losses[kind], peaks[kind] = result
                    times[kind].append(seconds)
            row(f"{script}, an epoch", times, losses)
            memory.append(f"{peaks['TensorFlow']:.2f} GiB ({script})")
        times = {kind: [] for kind in KINDS}
        for _ in range(args.rounds):
            for kind in KINDS:
                times[kind].append(run("simple", kind, *fixed)[0])
        row("simple, a whole default run", times)
    print(f"\nMemory at the peak, on TensorFlow: {', '.join(memory)}.")


if __name__ == "__main__":
    main()
