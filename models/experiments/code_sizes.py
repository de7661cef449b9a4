"""How few numbers are enough?

Codes of 2 to 128 numbers: of a single layer without penalty, of the deep network, of the deep
network with 128 in place of 64 in its layers next to the code (784-128-128-code), and of PCA. 50
epochs of Adam, three seeds. A number of a network's code is live if it is not 0 for all test
digits.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adam
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
sizes = [2] if args.quick else [2, 8, 16, 32, 64, 128]
first_digit = x_test[:1]  # a 7
epochs = 1 if args.quick else 50


# %% 训练，与 PCA 比较 · train the networks, and compare with PCA
def train_wider(size, seed):
    """Train the deep network with 128 in place of 64, as deep_autoencoder.py does with 64."""
    lab.set_seed(seed)
    input_img = Input(shape=(784,))
    x = Dense(128, activation="relu")(input_img)
    x = Dense(128, activation="relu")(x)
    encoded = Dense(size, activation="relu")(x)
    x = Dense(128, activation="relu")(encoded)
    x = Dense(128, activation="relu")(x)
    decoded = Dense(784, activation="sigmoid")(x)
    autoencoder = Model(input_img, decoded)
    autoencoder.compile(
        optimizer=Adam(0.0015),
        loss="binary_crossentropy",
        **lab.speed_settings(autoencoder, epochs),
    )
    network = (autoencoder, Model(input_img, encoded), Model(encoded, decoded))
    return lab.train(args, "deep_128", network, x_train, epochs, 256, new_orders=False)


# 误差和准确率：每个维数一个列表，列表中每个种子一个值。
# Errors and accuracies: a list for each size, with a value from each seed.
errors = {"single layer": [], "deep": [], "deep, 128 for 64": [], "PCA": []}
accuracies = {"single layer": [], "deep": [], "deep, 128 for 64": [], "PCA": []}
images = {"single layer": [], "deep": [], "deep, 128 for 64": [], "PCA": []}
live = {"single layer": [], "deep": [], "deep, 128 for 64": []}  # numbers in use
for size in sizes:
    by_label = {"single layer": [], "deep": [], "deep, 128 for 64": []}
    for seed in args.seeds:
        options = {"optimizer": "adam", "encoding_dim": size, "seed": seed}
        by_label["single layer"].append(lab.run(args, "simple", l1=0, **options))
        by_label["deep"].append(lab.run(args, "deep", **options))
        by_label["deep, 128 for 64"].append(train_wider(size, seed))
    for label, networks in by_label.items():
        figures = [lab.measure(args, network.folder, digits) for network in networks]
        errors[label].append([x.mse for x in figures])
        accuracies[label].append([x.accuracy for x in figures])
        codes = [lab.encode(network.folder, x_test) for network in networks]
        live[label].append([np.sum(of_seed.max(axis=0) > 0) for of_seed in codes])
        first_code = codes[0][:1]
        images[label].append(lab.decode(networks[0].folder, first_code))
    figures = lab.measure_pca(args, size, digits)
    errors["PCA"].append([figures.mse])
    accuracies["PCA"].append([figures.accuracy])
    pca = PCA(size, svd_solver="covariance_eigh").fit(x_train)
    images["PCA"].append(pca.inverse_transform(pca.transform(first_digit)))
pixels = lab.figures_of(args, x_train, x_test, x_test, digits)

# %% 画图：误差和准确率 · draw error and accuracy against the size, and the first digit
figure = plt.figure(figsize=(12, 9), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1, 1])
left, right = above.subplots(1, 2)
cells = below.subplots(len(images), len(sizes), squeeze=False)
for label, row in zip(images, cells, strict=True):
    mean_errors = [np.mean(of_seeds) for of_seeds in errors[label]]
    mean_accuracies = [np.mean(of_seeds) for of_seeds in accuracies[label]]
    left.loglog(sizes, mean_errors, "o-", label=label)
    right.semilogx(sizes, mean_accuracies, "o-", label=label)
    row[0].set_ylabel(label)
    for size, image, cell in zip(sizes, images[label], row, strict=True):
        cell.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        cell.set(xticks=[], yticks=[], xlabel=size)
pixels_label = f"all pixels: {pixels.accuracy:.1f}"
right.axhline(pixels.accuracy, color="gray", ls="--", label=pixels_label)
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

# %% 结果 · the table
head = ["a code of"] + [str(size) for size in sizes]
rows = []
for label, of_sizes in errors.items():
    rows.append([f"{label}, MSE"] + [lab.spread(of_seeds, 5) for of_seeds in of_sizes])
for label, of_sizes in accuracies.items():
    cells = [lab.spread(of_seeds, 1) for of_seeds in of_sizes]
    rows.append([f"{label}, 1-NN accuracy, %"] + cells)
for label, of_sizes in live.items():
    rows.append([f"{label}, live numbers"] + [lab.spread(counts, 1) for counts in of_sizes])
changes = []
for wider, of_seeds in zip(errors["deep, 128 for 64"], errors["deep"], strict=True):
    changes.append(lab.difference(wider, of_seeds, 5))
rows.append(["deep, 128 for 64: change of the MSE"] + changes)
sentences = f"The 1-NN accuracy of pixels is {pixels.accuracy:.1f} %."
lab.report(args, "code_sizes", head, rows, sentences)
