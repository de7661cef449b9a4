"""How few numbers are enough?

Codes of 2 to 128 numbers, with and without a relu, of a single layer without penalty and of the deep
network, and of PCA: 50 epochs of Adam, three seeds. And the network of 2006, with 30 numbers: G. E.
Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
313, report its squared error in figure 2B. They trained it layer by layer first; here it starts from
random weights.
"""

# %% 准备 · imports and options
import lab

import common

import math

import maps
import matplotlib.pyplot as plt
import networks
import numpy as np
from keras import Input
from keras.layers import Dense
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
sizes = [2] if args.quick else [2, 8, 16, 32, 128]


# %% 训练 · train
def train(build, rate, **options):
    """Train a network from each seed; `options` are those of its function in `networks`."""
    trainings = []
    for seed in args.seeds:
        lab.set_seed(seed)
        trainings.append(lab.train(args, build(**options), x_train, 50, Adam(rate)))
    return trainings


trained = {
    "single layer, relu": {},
    "single layer, linear": {},
    "deep, relu": {},
    "deep, linear": {},
}
for size in sizes:
    for activation, name in [("relu", "relu"), (None, "linear")]:
        options = {"size": size, "activation": activation}
        trained[f"single layer, {name}"][size] = train(networks.simple, 0.001, penalty=0, **options)
        if size < 64:  # 旁边的层只有 64 维 · the layers beside the code have 64 numbers
            trained[f"deep, {name}"][size] = train(networks.deep, 0.0015, **options)


# %% 2006 年的网络 · the network of 2006
def network_of_2006():
    """Build it: 784-1000-500-250-30-250-500-1000-784, here with GELU."""
    input_img = Input(shape=(784,))
    x = Dense(1000, activation="gelu")(input_img)
    x = Dense(500, activation="gelu")(x)
    x = Dense(250, activation="gelu")(x)
    encoded = Dense(30)(x)  # 论文里也没有激活函数 · without activation, as in the paper
    x = Dense(250, activation="gelu")(encoded)
    x = Dense(500, activation="gelu")(x)
    x = Dense(1000, activation="gelu")(x)
    decoded = Dense(784, activation="sigmoid")(x)
    return networks.network_of(input_img, encoded, decoded)


of_2006 = []
for seed in args.seeds:
    lab.set_seed(seed)
    # 学习率从 0.001 逐渐降到 0 · The rate goes down from 0.001 to 0 by the last step.
    rate = CosineDecay(0.001, 50 * math.ceil(len(x_train) / 128))
    training = lab.train(args, network_of_2006(), x_train, 50, Adam(rate), 128, loss="mse")
    of_2006.append(training)

# %% 误差、准确率，取整为 8 位的编码 · errors, accuracies, and codes that are rounded to 8 bits
pixels = lab.figures_of(x_train, x_test, x_test, digits)
head = ["codes", "numbers", "live numbers", "MSE", "difference from PCA's", "with 8 bits a number"]
head += ["1-NN accuracy, %", "difference from PCA's, points", "from pixels', points"]
rows = []
images = {"PCA": []}  # of the first digit, a 7, from seed 0


def round_codes(codes_train, codes):
    """Return codes with 256 values for each number, between its extremes in training codes."""
    lowest = codes_train.min(axis=0)
    step = (codes_train.max(axis=0) - lowest) / 255
    step[step == 0] = 1  # 始终不变的数 · a number that never changes
    return lowest + step * np.round((codes - lowest) / step).clip(0, 255)


def add_row(label, trainings, pca):
    """Add a row to the table; return the figures from each seed."""
    figures = []
    rounded = []
    live = []
    for training in trainings:
        codes_train = lab.encode(training.folder, x_train)
        codes_test = lab.encode(training.folder, x_test)
        reconstructed = lab.decode(training.folder, codes_test)
        figures.append(lab.figures_of(codes_train, codes_test, reconstructed, digits))
        from_bytes = lab.decode(training.folder, round_codes(codes_train, codes_test))
        rounded.append(np.mean(lab.errors_of(x_test, from_bytes)))
        live.append(np.sum(np.ptp(codes_test, axis=0) > 0))
    rows.append(
        [
            label,
            str(figures[0].size),
            lab.spread(live, 1),
            lab.spread([x.mse for x in figures], 5),
            lab.error_difference(figures, [pca]),
            lab.spread(rounded, 5),
            lab.spread([x.accuracy for x in figures], 1),
            lab.accuracy_difference(figures, [pca]),
            lab.accuracy_difference(figures, [pixels]),
        ]
    )
    return figures


all_figures = {}  # label and size to the figures from each seed; PCA has one
for size in sizes + [30]:
    pca = lab.measure_pca(size, digits)
    all_figures["PCA", size] = [pca]
    to_pixels = lab.accuracy_difference([pca], [pixels])
    row = ["PCA", str(size), "–", f"{pca.mse:.5f}", "–", "–", f"{pca.accuracy:.1f}", "–", to_pixels]
    rows.append(row)
for label, of_sizes in trained.items():
    images[label] = []
    for size, trainings in of_sizes.items():
        all_figures[label, size] = add_row(label, trainings, all_figures["PCA", size][0])
        images[label].append(lab.reconstruct(trainings[0].folder, x_test[:1]))
pca_30 = all_figures["PCA", 30][0]
figures_of_2006 = add_row("network of 2006", of_2006, pca_30)
for size in sizes:
    images["PCA"].append(common.pca(x_train, x_test[:1], size)[2])

# %% 画图：误差和准确率 · draw error and accuracy against the size, and the first digit
figure = plt.figure(figsize=(12, 10), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1, 1])
left, right = above.subplots(1, 2)
cells = below.subplots(len(images), len(sizes), squeeze=False)
for label, row in zip(images, cells, strict=True):
    measured = sizes[: len(images[label])]
    errors = []  # 各种子的平均 · the mean over the seeds
    percents = []
    for size in measured:
        errors.append(np.mean([x.mse for x in all_figures[label, size]]))
        percents.append(np.mean([x.accuracy for x in all_figures[label, size]]))
    left.loglog(measured, errors, "o-", label=label)
    right.semilogx(measured, percents, "o-", label=label)
    row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    for cell in row[len(images[label]) :]:
        cell.axis("off")
    for size, image, cell in zip(measured, images[label], row, strict=False):
        cell.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        cell.set(xticks=[], yticks=[], xlabel=size)
right.axhline(pixels.accuracy, color="gray", ls="--", label="all pixels")
ticks = [0.002, 0.005, 0.01, 0.02, 0.05]
left.set_yticks(ticks, ticks)
left.set_ylabel("mean squared error")
right.set_ylabel("1-NN accuracy, %")
for ax in (left, right):
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.set_xlabel("numbers in the code")
    ax.grid(alpha=0.3)
    ax.legend()
figure.savefig(args.pictures / "code_size.png", dpi=100)

# %% 画图：二维编码的散点图 · draw a map of codes of two numbers, the network's and PCA's
folder = trained["deep, relu"][2][0].folder
pca = PCA(2, random_state=0).fit(x_train)
codes = {"autoencoder": lab.encode(folder, x_test), "PCA": pca.transform(x_test)}
grid_imgs = {
    "autoencoder": lab.decode(folder, maps.map_grid(codes["autoencoder"])),
    "PCA": pca.inverse_transform(maps.map_grid(codes["PCA"])).clip(0, 1),
}
maps.plot_maps(codes, grid_imgs, y_test, args.pictures / "deep_map_adam_50.png")

# %% 结果 · the table
# 论文中 PCA 的图片没有裁剪 · The paper's PCA is not clipped.
pca = PCA(30, random_state=0).fit(x_train)
unclipped_imgs = pca.inverse_transform(pca.transform(x_test))
unclipped = np.mean(lab.errors_of(x_test, unclipped_imgs))
squared = [784 * x.mse for x in figures_of_2006]
sentences = [
    f"1-NN accuracy of pixels: {pixels.accuracy:.1f} %.",
    f"Squared error of a digit: the network of 2006, here, {lab.spread(squared, 2)}; PCA with 30 "
    + f"numbers, {784 * pca_30.mse:.2f}, not clipped {784 * unclipped:.2f}.",
]
for size in trained["deep, relu"]:
    change = lab.error_difference(
        all_figures["deep, linear", size], all_figures["deep, relu", size]
    )
    sentences.append(
        f"Deep network, {size} numbers: without relu on the code the MSE changes by {change}."
    )
lab.report(args, "code_sizes", head, rows, "\n".join(sentences))
