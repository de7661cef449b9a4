"""Does a network's error find images that are no digits?

The deep network, trained on the first 50,000 training digits (50 epochs of Adam, three seeds),
gets the digits 3, 4 and 7 upside down, the capital letters of Matplotlib's fonts that look like
no digit, and digits whose pixels are in random order. An image is found if its error is larger
than that of 95 % of the other 10,000 training digits. Digits of the same fonts, and digits moved
by a pixel, show how much is due to print and to the place; PCA's error, and the ink of an image,
whether a network is needed.
"""

# %% 准备 · imports and options
import lab

import common

import drawing
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
held_out = len(x_train) // 6  # 10,000 of 60,000
x_held_out = x_train[-held_out:].reshape(held_out, 784)

# %% 印刷体的大写字母和数字 · capital letters and digits in print, as MNIST has its digits
letters = []
printed_digits = []
args.runs.mkdir(parents=True, exist_ok=True)
file = args.runs / "letter.png"
for family in ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"):
    for weight in ("normal", "bold"):
        for style in ("normal", "oblique"):
            properties = FontProperties(family=family, weight=weight, style=style)
            font = ImageFont.truetype(findfont(properties), size=100)
            for letter in "ACEFHJKMNPRTUVWXY0123456789":
                image = Image.new("L", (160, 160))
                draw = ImageDraw.Draw(image)
                draw.text((80, 80), letter, fill=255, font=font, anchor="mm")
                image.save(file)
                x = drawing.load_drawing(file)
                if letter.isdigit():
                    printed_digits.append(x)
                else:
                    letters.append(x)

# %% 各类图片 · the kinds of images
# 3、4、7 旋转 180° 之后不是数字。旋转使重心从 14 移到 13，所以再移回一个像素。
# Upside down, 3, 4 and 7 are no digits. This puts the centre of mass from pixel 14 to 13, so
# they are moved back by a pixel.
some_digits = x_test[np.isin(y_test, [3, 4, 7])]
upside_down = np.roll(some_digits[:, ::-1, ::-1], (1, 1), axis=(1, 2))
moved = np.roll(some_digits, (-1, -1), axis=(1, 2))
flat_test = x_test.reshape(len(x_test), 784)
kinds = {
    "test digits": x_test,
    "3, 4 and 7": some_digits,
    "3, 4 and 7 moved by a pixel": moved,
    "3, 4 and 7 upside down": upside_down,
    "printed digits": np.array(printed_digits),
    "letters": np.array(letters),
    "noise": np.random.default_rng(0).permuted(flat_test, axis=1),
}

# %% 每张图片的误差，界限取自留出的训练图片 · errors; the limit comes from held-out digits
# 对照：PCA 的误差，以及每张图片有多少笔墨（像素平方的平均值）。
# To compare with: PCA's error, and how much ink an image has, the mean of its pixels' squares.
line = "x_train = x_train.reshape(len(x_train), 784)"
changes = [(line, f"{line}[:-{held_out}]")]
pca = PCA(32, svd_solver="covariance_eigh").fit(x_train[:-held_out].reshape(-1, 784))


def pca_error(x):
    """Return PCA's mean squared error of each image."""
    return np.mean((pca.inverse_transform(pca.transform(x)) - x) ** 2, axis=1)


def ink(x):
    """Return the mean square of each image's pixels."""
    return np.mean(x**2, axis=1)


def network_error(x):
    """Return the network's mean squared error of each image."""
    return np.mean((autoencoder.predict(x, batch_size=1000, verbose=0) - x) ** 2, axis=1)


ways = {"the network": network_error, "PCA 32": pca_error, "ink": ink}
found = {}  # way and kind to percent, from each seed
areas = {}  # the areas under the ROC curves
for way in ways:
    for kind in kinds:
        found[way, kind] = []
        areas[way, kind] = []
for seed in args.seeds:
    network = lab.run(args, "deep", changes, optimizer="adam", seed=seed)
    autoencoder = common.load_model("autoencoder", network.folder)
    for way, error_of in ways.items():
        if way != "the network" and seed != args.seeds[0]:
            continue  # PCA and ink have no seed
        limit = np.quantile(error_of(x_held_out), 0.95)
        test_errors = error_of(flat_test)
        for kind, x in kinds.items():
            errors = error_of(x.reshape(len(x), 784))
            found[way, kind].append(100 * np.mean(errors > limit))
            is_other = np.repeat([False, True], [len(test_errors), len(errors)])
            areas[way, kind].append(roc_auc_score(is_other, np.append(test_errors, errors)))

# %% 画图：误差的分布 · draw the distributions of the errors, and examples, of the last seed
limit = np.quantile(network_error(x_held_out), 0.95)
images = {}
errors = {}
for kind, x in kinds.items():
    flat = x.reshape(len(x), 784)
    images[kind] = autoencoder.predict(flat, batch_size=1000, verbose=0)
    errors[kind] = np.mean((images[kind] - flat) ** 2, axis=1)
worst = np.argsort(errors["test digits"])[::-1]
strips = [
    ("worst digits", x_test[worst], images["test digits"][worst]),
    ("upside down", upside_down, images["3, 4 and 7 upside down"]),
    ("letters", kinds["letters"], images["letters"]),
]
figure = plt.figure(figsize=(11, 8), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[4, 6])
ax = above.subplots()
for kind in ("test digits", "3, 4 and 7 upside down", "printed digits", "letters", "noise"):
    values = errors[kind]
    weights = np.full(len(values), 100 / len(values))  # the share of an image, in percent
    bins = np.geomspace(1e-4, 0.3, 120)
    ax.hist(values, bins, weights=weights, histtype="step", linewidth=1.5, label=kind)
ax.axvline(limit, color="gray", ls="--", label="95 % of held-out digits are below")
ax.set(xscale="log", xlabel="mean squared error", ylabel="%")
ax.legend()
axes = below.subplots(2 * len(strips), 1)
for i, (label, x, reconstructions) in enumerate(strips):
    for ax, title, shown in [
        (axes[2 * i], label, x),
        (axes[2 * i + 1], "reconstructed", reconstructions),
    ]:
        ax.imshow(np.hstack(shown[:10].reshape(-1, 28, 28)), cmap="gray", vmin=0, vmax=1)
        ax.set_ylabel(title, rotation=0, ha="right", va="center")
        ax.set(xticks=[], yticks=[])
figure.savefig(args.pictures / "anomalies.png", dpi=100)

# %% 结果 · the table
head = ["kind of image", "how many"]
for way in ways:
    head += [f"found by {way}, %", f"area under the ROC curve, {way}"]
rows = []
for kind, x in kinds.items():
    row = [kind, f"{len(x):,}"]
    for way in ways:
        row.append(lab.spread(found[way, kind], 1))
        row.append(lab.spread(areas[way, kind], 3))
    rows.append(row)
turned = "3, 4 and 7 upside down"
moved = "3, 4 and 7 moved by a pixel"
points = lab.difference(found["the network", turned], found["the network", moved], 1)
area = lab.difference(areas["the network", turned], areas["the network", moved], 3)
sentences = [
    f"Of *{turned}* the network finds {points} points more than of *{moved}*; area {area}."
]
for kind in (turned, "letters"):
    of_pca = len(args.seeds) * found["PCA 32", kind]
    points = lab.difference(found["the network", kind], of_pca, 1)
    area = lab.difference(areas["the network", kind], len(args.seeds) * areas["PCA 32", kind], 3)
    sentences.append(f"Of *{kind}* the network finds {points} points more than PCA; area {area}.")
lab.report(args, "anomalies", head, rows, "\n".join(sentences))
