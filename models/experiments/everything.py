"""Run all scripts of the experiments, one after the other.

What was trained is kept, so that the command goes on where it was stopped. With --check, the
command fails if a script changed its table in README.md; the new table stays there.
"""

import lab

import argparse
import os
import subprocess
import sys

import keras

# 先运行训练时间短的；few_labels 和 pre_training 要用 2006 年的网络。
# Those with short trainings come first; few_labels and pre_training use the network of 2006.
SCRIPTS = [
    "anomalies",
    "losses",
    "noise",
    "experiments",
    "learning_rate",
    "claims",
    "t_sne",
    "tied_weights",
    "code_sizes",
    "orders",
    "results",
    "gallery",
    "two_numbers",
    "how_much",
    "convolutions",
    "network_of_2006",
    "few_labels",
    "pre_training",
    "speed",
]

parser = argparse.ArgumentParser(description=__doc__, epilog="--data, --runs: as results.py")
parser.add_argument("--only", nargs="+", default=SCRIPTS, choices=SCRIPTS, help="run these")
parser.add_argument("--check", action="store_true", help="fail if README.md had other figures")
args, words = parser.parse_known_args()
sys.argv[1:] = words  # those that are left are options of each script: --data, --runs
options = lab.parse_options(__doc__)

readme = lab.FOLDER / "README.md"
outdated = []
for name in args.only:
    print(f"---- {name}", flush=True)
    before = readme.read_bytes()
    subprocess.run([sys.executable, lab.FOLDER / f"{name}.py"] + words, check=True)
    if readme.read_bytes() != before:
        outdated.append(name)

seconds = []
for file in options.runs.glob("*/seconds.txt"):
    seconds.append(float(file.read_text()))
minutes = f"{sum(seconds) / 60:.0f}"
if args.only == SCRIPTS:
    sentences = f"""The trainings together took {minutes} minutes, with Keras \
{keras.__version__} on {os.cpu_count()} cores. Those of the project's three scripts are counted \
with their tables and pictures; the classifiers of few labels and the maps of t-SNE are not."""
    head = ["trained networks", "minutes"]
    lab.report(options, "everything", head, [[str(len(seconds)), minutes]], sentences)

if args.check and outdated:
    sys.exit(f"error: README.md had other figures of {', '.join(outdated)}")
