"""Cross-entropy or MSE as the loss?

The two dense networks, trained with either for 50 epochs of Adam, are measured by both. The
single layer has no penalty here, which would weigh more beside the smaller MSE. The rates are
the scripts', which were chosen for cross-entropy. Seed 0.
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
all_options = {
    "simple": "--optimizer adam --l1 0 --encoding-dim 16",
    "deep": "--optimizer adam --epochs 50 --seed 0",
}
for script, options in all_options.items():
    folders = {
        "cross-entropy": lab.run(args, script, options),
        "MSE": lab.run(args, f"{script}_mse", options, changes),
    }
    for loss, folder in folders.items():
        figures = lab.measure(args, folder, digits)
        reached[script, loss] = figures
        rows.append([script, loss, f"{figures.cross_entropy:.4f}", f"{figures.mse:.5f}"])

# %% 结果 · the table, and what came out
head = ["50 epochs of Adam", "trained with", "cross-entropy", "MSE"]
ratios = {}
for script in ("simple", "deep"):
    ratios[script] = reached[script, "MSE"].mse / reached[script, "cross-entropy"].mse
sentences = f"""Trained with MSE in place of cross-entropy, the single layer has \
{ratios["simple"]:.2f} times the MSE, and the deep network {ratios["deep"]:.2f} times."""
lab.report(args, "losses", head, rows, sentences)
