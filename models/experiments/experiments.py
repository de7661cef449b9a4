"""What do the experiments of the project's README give?

The single layer with another code, another penalty, or noise on its input; 50 epochs of
Adam, seed 0.
"""

# %% 准备 · imports and options
import lab

import common

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)

# %% 训练 · train each
# 脚本中要改的两处：旧的文字，新的文字 · Two changes of the script: the old text, the new one.
# 改后为 Dense(…)(Dropout(0.5)(input_img)) · It reads Dense(…)(Dropout(0.5)(input_img)) then.
dropout = [
    ("import Dense\n", "import Dense, Dropout\n"),
    ("sparse)(input_img)", "sparse)(Dropout(0.5)(input_img))"),
]
folders = {
    "simple": lab.run(args, "simple", "--optimizer adam --epochs 50 --seed 0"),
    "`--encoding-dim 2`": lab.run(args, "simple", "--optimizer adam --encoding-dim 2"),
    "`--l1 0.001`": lab.run(args, "simple", "--optimizer adam --l1 0.001 --encoding-dim 16"),
    "`--encoding-dim 1000`": lab.run(
        args, "simple", "--optimizer adam --l1 0.0001 --encoding-dim 1000"
    ),
    "`Dropout(0.5)` on the input": lab.run(args, "simple_dropout", "--optimizer adam", dropout),
}

# %% 结果 · the table, and what came out
head = ["experiment", "cross-entropy", "MSE", "recognised, %"]
rows = []
entropies = {}
for label, folder in folders.items():
    figures = lab.measure(args, folder, digits)
    entropies[label] = figures.cross_entropy
    recognised = f"{figures.recognised:.1f}"
    rows.append([label, f"{figures.cross_entropy:.4f}", f"{figures.mse:.5f}", recognised])
sentences = f"""The cross-entropy is smallest with {min(entropies, key=entropies.get)}, \
{min(entropies.values()):.4f}, and largest with {max(entropies, key=entropies.get)}, \
{max(entropies.values()):.4f}."""
lab.report(args, "experiments", head, rows, sentences)
