"""What do the three networks reach, with either optimizer, and how do their pictures look?

Each is trained from the seeds 0, 1 and 2, as a user would run it, the single layer from five
seeds; what takes long, from seed 0 alone. The pictures are the scripts' own, from seed 0; only
the losses are drawn here.
"""

# %% 准备 · imports and options
import lab

import common

import os
import shutil
import subprocess
import sys

import maps
import numpy as np
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练三个脚本的网络 · train the networks of the three scripts
# 每项：脚本、优化器、轮数、种子 · Each has a script, an optimizer, epochs and seeds.
five_seeds = [0] if args.quick else [0, 1, 2, 3, 4]
settings = [
    ("simple", "adadelta", 50, five_seeds),
    ("simple", "adam", 50, five_seeds),
    ("deep", "adadelta", 50, args.seeds),
    ("deep", "adam", 50, args.seeds),
    ("conv", "adadelta", 1, args.seeds),
    ("conv", "adam", 1, args.seeds),
    ("conv", "adam", 10, args.seeds),
    ("conv", "adam", 50, [0]),
]
if args.quick:
    settings = settings[1::4]
head = ["network", "optimizer", "epochs", "seeds", "parameters", "training loss"]
head += ["validation loss", "cross-entropy", "MSE", "difference from PCA's", "PSNR, dB"]
head += ["784 × MSE", "1-NN accuracy, %", "difference from PCA's"]
rows = []
trained = {}  # the networks of seed 0
errors = {}  # script, optimizer and epochs to the MSE from each seed
all_pca = {size: lab.measure_pca(args, size, digits) for size in (16, 32, 128)}


def columns_of(figures, pca):
    """Return the columns that are measured on the test digits, compared with PCA's, if given."""
    mse = np.array([x.mse for x in figures])
    accuracies = [x.accuracy for x in figures]
    error_change = "–"
    accuracy_change = "–"
    if pca is not None:
        error_change = lab.difference(mse, len(mse) * [pca.mse], 5)
        accuracy_change = lab.difference(accuracies, len(mse) * [pca.accuracy], 1)
    return [
        lab.spread([x.cross_entropy for x in figures], 4),
        lab.spread(mse, 5),
        error_change,
        lab.spread(10 * np.log10(1 / mse), 2),
        lab.spread(784 * mse, 2),
        lab.spread(accuracies, 1),
        accuracy_change,
    ]


for script, optimizer, epochs, seeds in settings:
    figures = []
    losses = []
    val_losses = []
    for seed in seeds:
        network = lab.run(args, script, optimizer=optimizer, epochs=epochs, seed=seed)
        figures.append(lab.measure(args, network.folder, digits))
        losses.append(network.history["loss"][-1])
        val_losses.append(network.history["val_loss"][-1])
        if seed == 0:
            trained[script, optimizer, epochs] = network
    parameters = common.load_model("autoencoder", network.folder).count_params()
    row = [f"{script}, code {figures[0].size}", optimizer, str(epochs), str(len(seeds))]
    row += [f"{parameters:,}", lab.spread(losses, 4), lab.spread(val_losses, 4)]
    rows.append(row + columns_of(figures, all_pca[figures[0].size]))
    errors[script, optimizer, epochs] = [x.mse for x in figures]

# %% 主成分分析 · PCA, of as many numbers
for size, figures in all_pca.items():
    rows.append([f"PCA, code {size}"] + 6 * ["–"] + columns_of([figures], None))


# %% 画图：脚本自己的图片 · the scripts' own pictures
def draw(network, script, pictures, suffix):
    """Run a script once more, with the trained network; copy pictures that it draws."""
    program = lab.PROJECT / f"{script}_autoencoder.py"
    command = [sys.executable, program, "--load", "--no-show", "--data", args.data]
    command += ["--models", network.folder.parent]
    environment = dict(os.environ, PYTHONUTF8="1", MPLBACKEND="agg")
    subprocess.check_output(command, env=environment, encoding="utf-8")
    for picture in pictures:
        name = f"{script}_{picture}_{suffix}.png"
        shutil.copy(network.folder / f"{picture}.png", args.pictures / name)


for (script, optimizer, epochs), network in trained.items():
    pictures = ["reconstructions"]
    if script == "simple":
        pictures.append("each_number")
    if script == "deep":
        pictures.append("interpolation")
    if (script, epochs) == ("conv", 50):
        pictures += ["layers", "model"]
    if (script, epochs) != ("conv", 10):
        draw(network, script, pictures, f"{optimizer}_{epochs}")

# %% 画图：二维编码的散点图 · draw a map of codes of two numbers, the network's and PCA's
network = lab.run(args, "deep", optimizer="adam", encoding_dim=2)
pca = PCA(2, svd_solver="covariance_eigh").fit(x_train)
codes = {"autoencoder": lab.encode(network.folder, x_test), "PCA": pca.transform(x_test)}
grid_imgs = {
    "autoencoder": lab.decode(network.folder, maps.map_grid(codes["autoencoder"])),
    "PCA": pca.inverse_transform(maps.map_grid(codes["PCA"])),
}
maps.plot_maps(codes, grid_imgs, y_test, args.pictures / "deep_map_adam_50.png")

# %% 画图：损失曲线 · draw the losses by epoch, of both optimizers
for script in ("simple", "deep", "conv"):
    curves = {}
    for (trained_script, optimizer, epochs), network in trained.items():
        if trained_script == script and epochs == 50:
            curves[f"{optimizer}, training"] = network.history["loss"]
            curves[f"{optimizer}, validation"] = network.history["val_loss"]
    path = args.pictures / f"{script}_history.png"
    common.plot_history(curves, path)

# %% 结果 · the table
lower_bound = common.cross_entropy(x_test, x_test)
sentences = [f"The lower bound of the cross-entropy is {lower_bound:.4f}."]
for script, epochs in [("simple", 50), ("deep", 50), ("conv", 1)]:
    adam = errors.get((script, "adam", epochs))
    adadelta = errors.get((script, "adadelta", epochs))
    if adam and adadelta:
        change = lab.difference(adam, adadelta, 5)
        length = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        sentences.append(f"With Adam, the MSE of {script}, {length}, changes by {change}.")
lab.report(args, "results", head, rows, "\n".join(sentences))
