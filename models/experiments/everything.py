"""Run all scripts of the experiments, one after the other; their options are passed on.

What was trained is kept, so that the command goes on where it was stopped.
"""

import lab

import subprocess
import sys

# 先运行训练时间短的 · Those with short trainings come first.
SCRIPTS = [
    "noise",
    "anomalies",
    "how_much",
    "claims",
    "few_labels",
    "t_sne",
    "code_sizes",
    "results",
    "convolutions",
]

for name in SCRIPTS:
    print(f"---- {name}", flush=True)
    subprocess.run([sys.executable, lab.FOLDER / f"{name}.py"] + sys.argv[1:], check=True)
