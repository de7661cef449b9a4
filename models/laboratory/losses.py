"""Cross-entropy or MSE as the loss?

The two dense networks, trained with either for 50 epochs of Adam, are measured by both.
"""

# %% 准备 · imports and options
import lab

import common

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)

# %% 训练：只改损失函数 · train, with nothing changed but the loss
changes = [('loss="binary_crossentropy"', 'loss="mse"')]
rows = []
reached = {}
for script in ("simple", "deep"):
    folders = {
        "cross-entropy": lab.run(args, script, "--optimizer adam --epochs 50 --seed 0"),
        "MSE": lab.run(args, f"{script}_mse", "--optimizer adam", changes),
    }
    for loss, folder in folders.items():
        figures = lab.measure(args, folder, digits)
        reached[script, loss] = figures
        rows.append([script, loss, f"{figures.cross_entropy:.4f}", f"{figures.mse:.5f}"])

# %% 结果 · the table, and what came out
head = ["50 epochs of Adam", "trained with", "cross-entropy", "MSE"]
by_entropy = reached["deep", "cross-entropy"]
by_mse = reached["deep", "MSE"]
sentences = f"""Trained with MSE, the deep network ends with {by_mse.mse / by_entropy.mse:.2f} \
times the MSE that it has when it is trained with cross-entropy, and with \
{by_mse.cross_entropy / by_entropy.cross_entropy:.2f} times the cross-entropy."""
lab.report(args, "losses", head, rows, sentences)
