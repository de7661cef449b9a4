"""Make the README's results table, its answers to the post's claims, and its pictures.

python tests/measure.py --data mnist.npz

Every run is a script of the project, as a user would call it. All of them together take
about an hour on two cores; what is there already in --runs is not run again.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np

import common
import deep_autoencoder

SEEDS = (0, 1, 2)
# The rows of the results table: script, optimizer, epochs, seeds.
ROWS = [
    *(
        (script, optimizer, epochs, SEEDS)
        for script, epochs in (("simple", 50), ("deep", 50), ("conv", 1))
        for optimizer in ("adadelta", "adam")
    ),
    ("conv", "adam", 10, SEEDS),
    ("conv", "adadelta", 50, SEEDS[:1]),
    ("conv", "adam", 50, SEEDS[:1]),
]
TABLE_ROW = re.compile(
    r"^(\w.*?) +(\d+) +([\d.]+)x +([\d.]+) +([\d.]+) +(-?[\d.]+) dB$", re.MULTILINE
)


class Run:
    """A run of a script, and what it printed and left."""

    def __init__(self, args, script, *options):
        name = "_".join([script, *options]).replace("--", "").replace(".", "")
        self.folder = args.runs.resolve() / name / script
        output = args.runs / name / "output.txt"
        if not output.exists():
            print(f"running {name}", file=sys.stderr, flush=True)
            command = [sys.executable, ROOT / f"{script}_autoencoder.py", *options]
            command += ["--models", self.folder.parent, "--no-show"]
            command += ["--data", args.data] if args.data else []
            start = time.perf_counter()
            done = subprocess.run(
                command, stdout=subprocess.PIPE, encoding="utf-8", check=True
            )
            seconds = time.perf_counter() - start
            if "NOT THE WHOLE" in done.stdout:
                sys.exit("this takes the whole of MNIST: pass --data mnist.npz")
            output.write_text(f"{done.stdout}\n{seconds}\n", encoding="utf-8")
        self.output = output.read_text(encoding="utf-8")
        self.seconds = float(self.output.split()[-1])
        # The first row is the network, the second is PCA.
        (_, code, _, *network), (_, _, _, *pca), *_ = TABLE_ROW.findall(self.output)
        self.code = int(code)
        self.cross_entropy, self.mse, self.psnr = map(float, network)
        self.pca_cross_entropy, self.pca_mse, self.pca_psnr = map(float, pca)
        (floor,) = re.findall(r"^floor +([\d.]+)$", self.output, re.MULTILINE)
        self.floor = float(floor)

    def curve(self, which):
        return [float(x) for x in re.findall(rf" {which}: ([\d.]+)", self.output)]

    def load(self, name):
        return common.load_model(name, self.folder)


def spread(values, digits):
    values = list(values)
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text


def results(args):
    """The results table, as lines of Markdown."""
    yield (
        "| script | optimizer | epochs | seeds | cross-entropy | MSE | PSNR, dB "
        "| PCA: cross-entropy | MSE | PSNR, dB | a run, s |"
    )
    yield "|" + "---|" * 11
    for script, optimizer, epochs, seeds in ROWS:
        runs = [default_run(args, script, optimizer, epochs, seed) for seed in seeds]
        one = runs[0]
        yield (
            f"| {script}, code {one.code} | {optimizer} | {epochs} | {len(seeds)} "
            f"| {spread((r.cross_entropy for r in runs), 4)} "
            f"| {spread((r.mse for r in runs), 5)} "
            f"| {spread((r.psnr for r in runs), 2)} "
            f"| {one.pca_cross_entropy:.4f} | {one.pca_mse:.5f} | {one.pca_psnr:.2f} "
            f"| {spread((r.seconds for r in runs), 0)} |"
        )
    yield ""
    yield f"Floor of the cross-entropy on these test digits: {one.floor:.4f}."


def default_run(args, script, optimizer, epochs, seed):
    settings = ["--optimizer", optimizer, "--epochs", str(epochs), "--seed", str(seed)]
    return Run(args, script, *settings)


def claims(args, x_train, x_test):
    """Tables that answer the post's claims, as lines of Markdown."""
    x_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)

    yield "| single layer | optimizer | MSE | PCA's MSE | angles to PCA's subspace: median, largest | PCA's components that the code explains | mean of a code value | zeros in the codes |"
    yield "|" + "---|" * 8
    settings = [("16", l1) for l1 in ("0", "0.0001", "0.001")] + [("1000", "0.0001")]
    for optimizer in ("adadelta", "adam"):
        for size, l1 in settings:
            run = Run(
                args,
                "simple",
                *("--optimizer", optimizer, "--l1", l1, "--encoding-dim", size),
            )
            encoder, decoder = run.load("encoder"), run.load("decoder")
            code = encoder.predict(x_test, 1000, 0)
            angles = explained = "–"
            if size == "16":
                axes = row_space(common.pca(x_train, x_test, 16))
                degrees = principal_angles(axes, row_space(decoder.get_weights()[0]))
                angles = f"{np.median(degrees):.0f}°, {degrees.max():.0f}°"
                explained = f"{explained_share(x_test @ axes.T, code):.1%}"
            yield (
                f"| code {size}, penalty {l1} | {optimizer} | {run.mse:.5f} "
                f"| {run.pca_mse:.5f} | {angles} | {explained} "
                f"| {code.mean():.2f} | {np.mean(code == 0):.1%} |"
            )
    yield ""

    run = default_run(args, "deep", "adam", 50, 0)
    autoencoder = run.load("autoencoder")
    whole = autoencoder.predict(x_test, 1000, 0)
    halves = [deep_autoencoder.split(autoencoder, x) for x in deep_autoencoder.LAYERS]
    differences = [
        np.abs(decoder.predict(encoder.predict(x_test, 1000, 0), 1000, 0) - whole).max()
        for encoder, decoder in halves
    ]
    yield (
        "Largest difference between `decoder(encoder(x))` and `autoencoder(x)` over the "
        f"test set, at the five splits: {max(differences):g}."
    )
    yield ""

    yield "| 128 values in the code | parameters | epochs | cross-entropy | MSE |"
    yield "|" + "---|" * 5
    dense = Run(
        args, "simple", "--optimizer", "adam", "--l1", "0", "--encoding-dim", "128"
    )
    rows = [("dense, one layer, Adam, no penalty", dense, 50)]
    for optimizer, epochs in (
        ("adadelta", 1),
        ("adadelta", 50),
        ("adam", 10),
        ("adam", 50),
    ):
        run = default_run(args, "conv", optimizer, epochs, 0)
        rows.append((f"convolutional, {optimizer.capitalize()}", run, epochs))
    for label, run, epochs in rows:
        (parameters,) = re.findall(r"Total params: ([\d,]+)", run.output)
        yield f"| {label} | {parameters} | {epochs} | {run.cross_entropy:.4f} | {run.mse:.5f} |"
    yield f"| PCA | – | – | {dense.pca_cross_entropy:.4f} | {dense.pca_mse:.5f} |"


def row_space(rows, k=16):
    """An orthonormal basis, (k, 784), of what rows of digits span about their mean."""
    if len(rows) > k:
        rows = rows - rows.mean(axis=0)
    return np.linalg.svd(rows, full_matrices=False)[2][:k]


def principal_angles(a, b):
    """Angles in degrees between two subspaces, given by orthonormal rows."""
    cosines = np.linalg.svd(a @ b.T, compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines, 0, 1)))


def explained_share(scores, code):
    """How much of the variance of PCA's scores is a linear function of the code."""
    code = np.column_stack([code, np.ones(len(code))])
    left = scores - code @ np.linalg.lstsq(code, scores, rcond=None)[0]
    return 1 - left.var(axis=0).sum() / scores.var(axis=0).sum()


def pictures(args):
    """Copy the gallery's pictures, and draw the curves of both optimizers in one."""
    examples = ROOT / "models" / "examples"
    examples.mkdir(parents=True, exist_ok=True)
    for script, epochs, long in (("simple", 50, 50), ("deep", 50, 50), ("conv", 1, 50)):
        curves = {}
        for optimizer in ("adadelta", "adam"):
            run = default_run(args, script, optimizer, epochs, 0)
            shutil.copy(
                run.folder / "reconstructions.png",
                examples / f"{script}_{optimizer}.png",
            )
            run = default_run(args, script, optimizer, long, 0)
            for label, which in (("training", "loss"), ("validation", "val_loss")):
                curves[f"{optimizer.capitalize()}, {label}"] = run.curve(which)
        common.plot_history(curves, examples / f"{script}_history.png")
    run = default_run(args, "conv", "adam", 50, 0)
    shutil.copy(
        run.folder / "reconstructions.png", examples / "conv_adam_50_epochs.png"
    )
    shutil.copy(run.folder / "model.png", examples / "conv_model.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", metavar="FILE.npz", help="the whole of MNIST")
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    for line in results(args):
        print(line, flush=True)
    print()
    for line in claims(args, *common.load_mnist(args.data)):
        print(line, flush=True)
    pictures(args)


if __name__ == "__main__":
    main()
