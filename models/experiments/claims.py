"""Which of the post's claims about the penalty are true?

The post says that a single layer without penalty is much like PCA, that the penalty makes codes
sparser, and that a hidden layer wider than the input works too. In its own Keras the penalty
was summed over a batch, not averaged: 256 times as strong, 0.0256. Single layers are trained
with several penalties, for 50 epochs of Adadelta and of Adam (10 where the code is wider than
the input, which takes long), from three seeds. The post's Adadelta had an epsilon of 1e-8, where
today's has 1e-7.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from keras.optimizers import Adadelta

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits

# %% 训练：不同强度的惩罚项 · train single layers with penalties of several strengths
# 每项：编码维数、惩罚系数、优化器、轮数 · Each has a code's size, a penalty, an optimizer, epochs.
settings = []
for optimizer in ("adadelta", "adam"):
    for penalty in (0, 0.0001, 0.001, 0.0256):
        settings.append((16, penalty, optimizer, 50))
settings.append((16, 0.0256, "adadelta, epsilon 1e-8", 50))
settings.append((1000, 0, "adam", 10))
settings.append((1000, 0.0001, "adam", 10))
if args.quick:
    settings = settings[-1:]

head = ["single layer", "MSE", "1-NN accuracy, %", "mean of a code's numbers"]
head += ["zeros, %", "dead units", "zeros of the other units, %"]
rows = []
# 每个种子一个值 · With a value from each seed:
errors = {}  # MSE
zeros_of_others = {}  # percent
for size, penalty, optimizer, epochs in settings:
    figures = []
    means = []
    zeros = []
    dead_units = []
    of_others = []
    for seed in args.seeds:
        options = {"optimizer": optimizer, "l1": penalty, "encoding_dim": size, "epochs": epochs}
        if "epsilon" in optimizer:
            options["optimizer"] = Adadelta(1.0, epsilon=1e-8)
        network = lab.run(args, "simple", seed=seed, **options)
        figures.append(lab.measure(args, network.folder, digits))
        codes = lab.encode(network.folder, x_test)
        means.append(codes.mean())
        zeros.append(100 * np.mean(codes == 0))
        # 死单元：对每张图片都是 0。其余单元的 0 才说明编码稀疏。
        # A dead unit is 0 for every digit. Only zeros of the others show that a code is sparse.
        alive = codes.any(axis=0)
        dead_units.append(np.sum(~alive))
        percent = np.nan
        if alive.any():
            percent = 100 * np.mean(codes[:, alive] == 0)
        of_others.append(percent)
    errors[size, penalty, optimizer] = [x.mse for x in figures]
    zeros_of_others[size, penalty, optimizer] = of_others
    rows.append(
        [
            f"code {size}, penalty {penalty}, {optimizer}, {epochs} epochs",
            lab.spread(errors[size, penalty, optimizer], 5),
            lab.spread([x.accuracy for x in figures], 1),
            lab.spread(means, 2),
            lab.spread(zeros, 1),
            lab.spread(dead_units, 1),
            lab.spread(of_others, 1),
        ]
    )

# %% 主成分分析，以及所有训练图片的平均图 · PCA, and the mean of all training digits
pca = lab.measure_pca(args, 16, digits)
rows.append(["PCA, 16", f"{pca.mse:.5f}", f"{pca.accuracy:.1f}", "–", "–", "–", "–"])
mean_error = np.mean((x_test - x_train.mean(axis=0)) ** 2)
rows.append(["the mean of all training digits", f"{mean_error:.5f}"] + 5 * ["–"])

# %% 结果 · the table, and differences, pair by pair
sentences = []
for size, optimizer in [(16, "adadelta"), (16, "adam"), (1000, "adam")]:
    without = (size, 0, optimizer)
    with_penalty = (size, 0.0001, optimizer)
    if without in errors and with_penalty in errors:
        of_errors = lab.difference(errors[with_penalty], errors[without], 5)
        of_zeros = lab.difference(zeros_of_others[with_penalty], zeros_of_others[without], 1)
        sentences.append(
            f"Code {size}, {optimizer}: the penalty of 0.0001 changes the MSE by {of_errors}, and "
            f"the zeros of units that are not dead by {of_zeros} points."
        )
for optimizer in ("adadelta", "adam"):
    without = errors.get((16, 0, optimizer))
    if without:
        to_pca = lab.difference(without, len(without) * [pca.mse], 5)
        sentences.append(f"Without penalty, {optimizer}'s MSE differs from PCA's by {to_pca}.")
lab.report(args, "claims", head, rows, "\n".join(sentences))
