"""What the experiments share: options, what was trained, figures, the text."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent.parent
sys.path.insert(0, str(PROJECT))  # so that a script which imports lab finds common

import common

import argparse
import inspect
import os
import re
import subprocess
import time
from dataclasses import dataclass

import joblib
import numpy as np


@dataclass
class Figures:
    """How good codes are, on the test digits."""

    size: int  # numbers in a code
    cross_entropy: float
    mse: float
    recognised: float  # nearest-neighbour accuracy, in percent


def parse_options(question):
    """Return the values of the options that each experiment has."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--data", type=Path, default=common.MNIST, help="MNIST (%(default)s)")
    runs = PROJECT / "models" / "runs"
    parser.add_argument("--runs", type=Path, default=runs, help="networks (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a test: little is trained")
    args = parser.parse_args(common.command_line(inspect.stack()[1].filename))
    args.pictures = FOLDER
    sys.excepthook = common.print_error  # an error that you can mend, in one line
    if args.quick:
        args.runs = args.runs / "quick"
        args.pictures = args.runs
    return args


def run(args, name, options="", changes=()):
    """Run a script of the project, or find its earlier run; return its networks' folder.

    `name`: simple, deep or conv, and more after a _. `changes`: pairs of old and new text.
    """
    script = name.split("_")[0]
    text = (PROJECT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            raise common.UserError(f"{script}: {text.count(old)} times, not once: {old}")
        text = text.replace(old, new)
    title = f"{name} {options}".strip().replace(" ", "_")  # such as simple_--l1_0.001
    folder = args.runs.resolve() / title.replace("--", "").replace(".", "")
    if not (folder / "seconds.txt").exists():
        print(f"Running {folder.name}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / f"{script}_autoencoder.py"
        program.write_text(text, encoding="utf-8")
        command = [sys.executable, program, "--no-show", "--verbose", "2"]
        command += ["--data", args.data.resolve(), "--models", folder] + options.split()
        if args.quick:
            command += ["--epochs", "1"]
        # PYTHONPATH is there for the script to find common.
        environment = dict(os.environ, PYTHONPATH=str(PROJECT), PYTHONUTF8="1")
        start = time.perf_counter()
        said = subprocess.check_output(command, env=environment, encoding="utf-8")
        (folder / "output.txt").write_text(said, encoding="utf-8")
        (folder / "seconds.txt").write_text(str(time.perf_counter() - start))
    return folder / script


def losses(folder, which):
    """Return losses by epoch. folder: what `run` returned; which: "loss" or "val_loss"."""
    output = (folder.parent / "output.txt").read_text(encoding="utf-8")
    return [float(loss) for loss in re.findall(rf" - {which}: ([\d.e+-]+)", output)]


def train(folder, autoencoder, encoder, decoder, x_train, epochs, batch_size):
    """Train a compiled network, each epoch in another order, and save it; if not yet done."""
    if (folder / "seconds.txt").exists():
        return
    print(f"Training {folder.name}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    for _ in range(epochs):
        x_epoch = np.random.permutation(x_train)
        autoencoder.fit(x_epoch, x_epoch, batch_size=batch_size, shuffle=False, verbose=0)
    seconds = time.perf_counter() - start
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
    (folder / "seconds.txt").write_text(str(seconds))


def measure(args, folder, digits):
    """Return the figures of the network whose two parts are in a folder."""
    (x_train, _), (x_test, _) = digits
    encoder = common.load_model("encoder", folder)
    decoder = common.load_model("decoder", folder)
    shape = (-1,) + encoder.input_shape[1:]  # (-1, 784), or (-1, 28, 28, 1) of conv
    codes_train = encoder.predict(x_train.reshape(shape), batch_size=1000, verbose=0)
    codes_test = encoder.predict(x_test.reshape(shape), batch_size=1000, verbose=0)
    images = decoder.predict(codes_test, batch_size=1000, verbose=0)
    return figures_of(args, codes_train, codes_test, images, digits)


def figures_of(args, codes_train, codes_test, images, digits):
    """Return the figures of codes, and of the images that are decoded from codes_test."""
    (_, y_train), (x_test, y_test) = digits
    x_images = images.reshape(x_test.shape)
    mse = float(np.mean((x_test - x_images) ** 2))
    memory = joblib.Memory(args.runs, verbose=0)  # keeps what the slow part returned
    recognise = memory.cache(common.nearest_neighbour_accuracy)
    percent = 100 * recognise(codes_train, y_train, codes_test, y_test)
    entropy = common.mean_loss("binary_crossentropy", x_test, x_images)
    return Figures(codes_test[0].size, entropy, mse, percent)


def spread(values, decimals):
    """Return the mean as text, and the standard deviation if there are more values."""
    text = f"{np.mean(values):.{decimals}f}"
    if len(values) > 1:
        text += f" ± {np.std(values, ddof=1):.{decimals}f}"
    return text


def report(args, name, head, rows, sentences):
    """Print a table and sentences; write them into README.md, between the name's marks."""
    lines = []
    for cells in [head, ["---"] * len(head)] + rows:
        lines.append("| " + " | ".join(cells) + " |")
    text = "\n".join(lines) + "\n\n" + sentences
    print(f"\n{text}\n")
    if not args.quick:
        readme = FOLDER / "README.md"
        content = readme.read_text(encoding="utf-8")
        before, mark, rest = content.partition(f"<!-- {name} -->")
        end = rest[rest.index("<!-- end -->") :]
        readme.write_text(f"{before}{mark}\n\n{text}\n\n{end}", encoding="utf-8")
