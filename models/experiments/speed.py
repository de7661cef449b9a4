"""How much time do the scripts' settings for speed save, and how fast is JAX?

Keras's plain `compile` on TensorFlow, as the post has it, beside the scripts' own settings
(`steps_per_execution` and `jit_compile`), on TensorFlow and on JAX. The three take turns, so
that a slow moment of the machine meets all of them. Nothing else should be running. JAX must
be installed; the memory's peak is measured as Linux gives it, in KiB.
"""

# %% 准备 · imports and options
import lab

import os
import re
import subprocess
import sys
import time

import numpy as np

args = lab.parse_options(__doc__)
all_epochs = {"simple": 12, "deep": 12, "conv": 3}
kinds = ["plain", "TensorFlow", "JAX"]
rounds = [0, 1, 2]
if args.quick:
    all_epochs = {"simple": 1}
    kinds = ["plain", "TensorFlow"]
    rounds = [0]

# %% 脚本中改动的文字 · what is changed in a script
# 打印每轮结束的时间和内存的峰值 · It prints when each epoch ends, and the peak of the memory.
clock = """
import resource
import time

import keras


class Clock(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        print("clock", time.perf_counter())

    def on_epoch_end(self, epoch, logs=None):
        print("clock", time.perf_counter())


parser = argparse"""
peak = 'print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nif not args.no_show:'
timed = [("parser = argparse", clock), ("if not args.no_show:", peak)]
settings = {
    "plain": [
        (
            "**common.speed_settings(autoencoder, len(x_train), args.batch_size, args.epochs),",
            "",
        ),
    ],
    "TensorFlow": [],
    # TensorFlow 如同没有安装，只用 JAX 的人就是这样。
    # As if TensorFlow were not installed, as with those who use JAX alone.
    "JAX": [
        (
            "import common  #",
            'import sys\n\nsys.modules["tensorflow"] = None\nimport common  #',
        )
    ],
}
backends = {"plain": "tensorflow", "TensorFlow": "tensorflow", "JAX": "jax"}


# %% 运行 · run a script with lines changed, in a process of its own
def run(kind, script, changes, *words):
    """Return what a changed script printed, and the seconds that it took."""
    text = (lab.PROJECT / f"{script}_autoencoder.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder = args.runs / "speed"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"{script}_autoencoder.py"
    program.write_text(text, encoding="utf-8")
    command = [sys.executable, program, "--no-show", "--verbose", "2", "--data", args.data]
    command += ["--models", folder]
    command += words
    # PYTHONPATH is there for the script to find common.
    environment = dict(os.environ, PYTHONPATH=str(lab.PROJECT), PYTHONUTF8="1")
    environment["KERAS_BACKEND"] = backends[kind]
    print(f"Running {script}, {kind}", flush=True)
    start = time.perf_counter()
    said = subprocess.check_output(command, env=environment, encoding="utf-8")
    return said, time.perf_counter() - start


# %% 训练 · train, with the kinds in turn
# 每项是各次的秒数 · Each has the seconds of all rounds.
seconds = {}
losses = {}
memory = {}
for script, epochs in all_epochs.items():
    use_clock = [("verbose=args.verbose,", "verbose=args.verbose, callbacks=[Clock()],")]
    if script == "conv":
        use_clock = [("callbacks = []", "callbacks = [Clock()]")]
    label = f"{script}, an epoch"
    seconds[label] = {kind: [] for kind in kinds}
    losses[label] = {}
    for number in rounds:
        for kind in kinds[number:] + kinds[:number]:
            changes = timed + use_clock + settings[kind]
            said, _ = run(kind, script, changes, "--epochs", str(epochs))
            times = [float(text) for text in re.findall(r"clock ([\d.]+)", said)]
            # 最快的一轮：机器上的其他事只会增加时间。
            # The fastest epoch: what else the machine does can only add to the time.
            seconds[label][kind].append(np.min(np.diff(times)))
            losses[label][kind] = re.findall(r" - val_loss: ([\d.]+)", said)[-1]
            memory[script, kind] = int(re.search(r"peak (\d+)", said)[1]) / 2**20  # GiB

label = "simple, a whole default run"
seconds[label] = {kind: [] for kind in kinds}
losses[label] = {kind: "–" for kind in kinds}
quick_words = ["--epochs", "1"] if args.quick else []
for number in rounds:
    for kind in kinds[number:] + kinds[:number]:
        said, taken = run(kind, "simple", settings[kind], *quick_words)
        seconds[label][kind].append(taken)

# %% 结果 · the table, and what came out
head = ["fastest epoch, median of three rounds", "plain, TensorFlow"]
for kind in kinds[1:]:
    head += [f"the script's, {kind}", "time / plain"]
head += [f"loss, {kind}" for kind in kinds]
rows = []
for label, by_kind in seconds.items():
    cells = [label, f"{np.median(by_kind['plain']):.2f} s"]
    for kind in kinds[1:]:
        ratios = np.divide(by_kind[kind], by_kind["plain"])
        cells.append(f"{np.median(by_kind[kind]):.2f} s")
        cells.append(f"**{np.median(ratios):.2f}** ({ratios.min():.2f} to {ratios.max():.2f})")
    cells += [losses[label][kind] for kind in kinds]
    rows.append(cells)
peaks = [f"{memory[script, 'TensorFlow']:.2f} GiB ({script})" for script in all_epochs]
sentences = f"At its peak, a run on TensorFlow takes a memory of {', '.join(peaks)}."
lab.report(args, "speed", head, rows, sentences)
