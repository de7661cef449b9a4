"""How many training digits are enough, and where does a network begin to learn by heart?

The single layer (without penalty), the deep network (Adam) and PCA learn from 100 to 50,000 training
digits, from three seeds, each of which is that of a network and of a selection of digits. The network
is looked at after the epoch with the smallest loss of 10,000 other training digits, and after the
last one. Few digits are repeated, so that an epoch has at least 20 updates.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import networks
import numpy as np
from keras.optimizers import Adam

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
held_out = len(x_train) // 6  # 10,000 of 60,000
x_learnt = x_train[:-held_out].reshape(-1, 784)
x_valid = x_train[-held_out:].reshape(-1, 784)
x_test = x_test.reshape(-1, 784)
# 多少张图片：一轮中重复到多少张，训练几轮 · how many: repeated to how many an epoch, and epochs
settings = {100: (5_100, 100), 1000: (10_000, 100), 4000: (24_000, 100), 50_000: (50_000, 50)}
if args.quick:
    settings = {100: (100, 1)}
builders = {
    "single layer": (lambda: networks.simple(penalty=0), 0.001, 16),
    "deep": (networks.deep, 0.0015, 32),
}

# %% 训练，与 PCA 比较 · train on each number of digits, and compare with PCA
head = ["MSE"] + [f"{count:,}" for count in settings]
rows = []
curves = {}  # label to the mean for each number of digits
for name, (build, rate, size) in builders.items():
    columns = {
        f"{name}, best epoch, test digits": [],
        f"{name}, best epoch, learnt digits": [],
        f"{name}, last epoch, test digits": [],
        f"{name}, last epoch, learnt digits": [],
        f"PCA {size}, test digits": [],
        f"PCA {size}, learnt digits": [],
        f"{name}, best epoch, test digits, difference from PCA {size}": [],
        f"{name}, last epoch, test digits, difference from PCA {size}": [],
        f"{name}, epochs to the best": [],
        f"{name}, updates to the best": [],
    }
    for count, (repeated, epochs) in settings.items():
        labels = list(columns)[:6]
        errors = {label: [] for label in labels}  # the errors of all images from each seed
        best_epochs = []
        for seed in args.seeds:
            selected = np.random.default_rng(seed).permutation(len(x_learnt))[:count]
            x = x_learnt[selected]
            lab.set_seed(seed)
            training = lab.train(
                args,
                build(),
                np.resize(x, (repeated, 784)),
                epochs,
                Adam(rate),
                x_valid=x_valid,
            )
            all_images = []
            for folder in (training.best, training.folder):
                all_images += [lab.reconstruct(folder, x_test), lab.reconstruct(folder, x)]
            pca_imgs = common.pca(x, np.concatenate([x_test, x]), size)[2]
            all_images += [pca_imgs[: len(x_test)], pca_imgs[len(x_test) :]]
            for label, images in zip(labels, all_images, strict=True):
                of = x_test if "test" in label else x
                errors[label].append(lab.errors_of(of, images))
            best_epochs.append(1 + int(np.argmin(training.history["val_loss"])))
        for label in labels:
            means = np.mean(errors[label], axis=1)
            columns[label].append(lab.spread(means, 4))
            curves.setdefault(label, []).append(np.mean(means))
        of_pca = errors[f"PCA {size}, test digits"]
        for which in ("best", "last"):
            label = f"{name}, {which} epoch, test digits"
            change = lab.difference_of_images(errors[label], of_pca, 4)
            columns[f"{label}, difference from PCA {size}"].append(change)
        updates = [epoch * int(np.ceil(repeated / 256)) for epoch in best_epochs]
        columns[f"{name}, epochs to the best"].append(", ".join(map(str, best_epochs)))
        columns[f"{name}, updates to the best"].append(f"{np.mean(updates):,.0f}")
    for label, cells in columns.items():
        rows.append([label] + cells)

# %% 画图：误差随训练图片的数量 · draw the errors against the number of training digits
figure, ax = plt.subplots(figsize=(11, 6), layout="constrained")
for label, means in curves.items():
    if "last" in label:
        continue
    line = "o-" if label.endswith("test digits") else "o:"
    colour = ["single layer", "deep", "PCA 16", "PCA 32"].index(label.split(",")[0])
    ax.loglog(list(settings), means, line, color=f"C{colour}", label=label)
ax.set_xticks(list(settings), [f"{count:,}" for count in settings])
ticks = ["0.005", "0.01", "0.02", "0.05"]
ax.set_yticks([float(tick) for tick in ticks], ticks)
ax.minorticks_off()
ax.set(xlabel="training digits", ylabel="mean squared error")
ax.grid(alpha=0.3)
figure.legend(loc="outside right upper")
figure.savefig(args.pictures / "how_much.png", dpi=100)

# %% 结果 · the table
lab.report(args, "how_much", head, rows)
