"""How few numbers are enough?

A single layer without penalty, the deep network and PCA, with codes of 2 to 128 numbers;
50 epochs of Adam, seed 0.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
sizes = [2] if args.quick else [2, 4, 8, 16, 32, 64, 128]
first_digit = x_test[:1]  # a 7

# %% 训练，与 PCA 比较 · train the two networks, and compare with PCA
reached = {"single layer": [], "deep": [], "PCA": []}  # figures of each size
images = {"single layer": [], "deep": [], "PCA": []}  # the first digit, from each size
for size in sizes:
    simple_options = f"--optimizer adam --l1 0 --encoding-dim {size}"
    deep_options = f"--optimizer adam --encoding-dim {size}"
    if size == 32:  # the script's own size: results.py has trained it, under this name
        deep_options = "--optimizer adam --epochs 50 --seed 0"
    folders = {
        "single layer": lab.run(args, "simple", simple_options),
        "deep": lab.run(args, "deep", deep_options),
    }
    for label, folder in folders.items():
        reached[label].append(lab.measure(args, folder, digits))
        autoencoder = common.load_model("autoencoder", folder)
        images[label].append(autoencoder.predict(first_digit, verbose=0))

    pca = PCA(size, svd_solver="covariance_eigh").fit(x_train)
    codes_train = pca.transform(x_train)
    codes_test = pca.transform(x_test)
    pca_imgs = pca.inverse_transform(codes_test)
    figures = lab.figures_of(args, codes_train, codes_test, pca_imgs, digits)
    reached["PCA"].append(figures)
    images["PCA"].append(pca_imgs[:1])
pixels = lab.figures_of(args, x_train, x_test, x_test, digits)

# %% 画图：误差和准确率 · draw error and accuracy against the size, and the first digit
figure = plt.figure(figsize=(12, 8), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[4, 3])
left, right = above.subplots(1, 2)
cells = below.subplots(3, len(sizes), squeeze=False)
for label, row in zip(reached, cells, strict=True):
    left.loglog(sizes, [x.mse for x in reached[label]], "o-", label=label)
    right.semilogx(sizes, [x.recognised for x in reached[label]], "o-", label=label)
    row[0].set_ylabel(label)
    for size, image, cell in zip(sizes, images[label], row, strict=True):
        cell.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        cell.set(xticks=[], yticks=[], xlabel=size)
pixels_label = f"all pixels: {pixels.recognised:.1f}"
right.axhline(pixels.recognised, color="gray", ls="--", label=pixels_label)
ticks = [0.002, 0.005, 0.01, 0.02, 0.05]
left.set_yticks(ticks, ticks)
left.set_ylabel("mean squared error")
right.set_ylabel("recognised by the nearest code, %")
for ax in (left, right):
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.set_xlabel("numbers in the code")
    ax.grid(alpha=0.3)
    ax.legend()
figure.savefig(args.pictures / "code_size.png", dpi=100)

# %% 结果 · the table, and what came out
head = ["a code of"] + [str(size) for size in sizes]
rows = []
for label, figures in reached.items():
    rows.append([f"{label}, MSE"] + [f"{x.mse:.5f}" for x in figures])
for label, figures in reached.items():
    rows.append([f"{label}, recognised, %"] + [f"{x.recognised:.1f}" for x in figures])

best = []
for i, size in enumerate(sizes):
    by_error = {label: figures[i].mse for label, figures in reached.items()}
    best.append(f"{min(by_error, key=by_error.get)} with {size}")
sentences = f"""The smallest error is that of: {", ".join(best)}. By all pixels, \
{pixels.recognised:.1f} % are recognised."""
lab.report(args, "code_sizes", head, rows, sentences)
