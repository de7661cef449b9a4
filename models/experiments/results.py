"""What do the three networks reach, with either optimizer?

Each is trained three times, from the seeds 0, 1 and 2, as a user would run it; those that take
long, from seed 0 alone.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练三个脚本的网络 · train the networks of the three scripts
# 每项：脚本、优化器、轮数、种子。
# Each has a script, an optimizer, epochs and seeds.
settings = [
    ("simple", "adadelta", 50, [0, 1, 2]),
    ("simple", "adam", 50, [0, 1, 2]),
    ("deep", "adadelta", 50, [0, 1, 2]),
    ("deep", "adam", 50, [0, 1, 2]),
    ("conv", "adadelta", 1, [0, 1, 2]),
    ("conv", "adam", 1, [0, 1, 2]),
    ("conv", "adam", 10, [0, 1, 2]),
    ("conv", "adadelta", 50, [0]),
    ("conv", "adam", 50, [0]),
]
if args.quick:
    settings = [
        ("simple", "adam", 50, [0]),
        ("deep", "adam", 50, [0]),
        ("conv", "adam", 10, [0]),
    ]

head = ["network", "optimizer", "epochs", "seeds", "parameters", "cross-entropy", "MSE"]
head += ["PSNR, dB", "squared error of a digit", "recognised, %"]
rows = []


def add_row(network, optimizer, epochs, seeds, parameters, figures):
    """Add what a network reached, from each of its seeds, to the table."""
    mse = np.array([x.mse for x in figures])
    rows.append(
        [
            network,
            optimizer,
            str(epochs),
            seeds,
            parameters,
            lab.spread([x.cross_entropy for x in figures], 4),
            lab.spread(mse, 5),
            lab.spread(10 * np.log10(1 / mse), 2),
            lab.spread(784 * mse, 2),
            lab.spread([x.recognised for x in figures], 1),
        ]
    )


for script, optimizer, epochs, seeds in settings:
    figures = []
    for seed in seeds:
        options = f"--optimizer {optimizer} --epochs {epochs} --seed {seed}"
        folder = lab.run(args, script, options)
        figures.append(lab.measure(args, folder, digits))
    parameters = common.load_model("autoencoder", folder).count_params()
    network = f"{script}, code {figures[0].size}"
    add_row(network, optimizer, epochs, str(len(seeds)), f"{parameters:,}", figures)

# %% 同样多的数，单层，没有惩罚项 · as many numbers as conv has, from a single layer
folder = lab.run(args, "simple", "--optimizer adam --l1 0 --encoding-dim 128")
parameters = common.load_model("autoencoder", folder).count_params()
network = "a single layer, code 128, no penalty"
figures = [lab.measure(args, folder, digits)]
add_row(network, "adam", 50, "1", f"{parameters:,}", figures)

# %% 主成分分析 · PCA, of as many numbers
for size in (16, 32, 128):
    pca = PCA(size, svd_solver="covariance_eigh").fit(x_train)
    codes_train = pca.transform(x_train)
    codes_test = pca.transform(x_test)
    images = pca.inverse_transform(codes_test)
    figures = [lab.figures_of(args, codes_train, codes_test, images, digits)]
    add_row(f"PCA, code {size}", "–", "–", "–", "–", figures)

# %% 结果 · the table, and what came out
pixels = lab.figures_of(args, x_train, x_test, x_test, digits)
sentences = f"""No cross-entropy is below {pixels.cross_entropy:.4f}, since pixels are grey. \
By the nearest of all training digits' pixels, {pixels.recognised:.1f} % are recognised."""
lab.report(args, "results", head, rows, sentences)
