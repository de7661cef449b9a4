"""Run all scripts of the experiments, one after the other; their options are passed on.

What was trained is kept, so that the command goes on where it was stopped.
"""

import lab

import subprocess
import sys

# 先运行训练时间短的 · Those with short trainings come first.
SCRIPTS = [
    "learning_rate",
    "noise",
    "claims",
    "anomalies",
    "results",
    "variations",
    "t_sne",
    "how_much",
    "few_labels",
    "code_sizes",
    "convolutions",
    "network_of_2006",
]

for name in SCRIPTS:
    print(f"---- {name}", flush=True)
    subprocess.run([sys.executable, lab.FOLDER / f"{name}.py"] + sys.argv[1:], check=True)
