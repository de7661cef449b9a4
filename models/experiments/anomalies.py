"""Does a network's error find images that are no digits?

The deep network, trained on the first 50,000 training digits (50 epochs of Adam, three seeds), gets
the digits 3, 4 and 7 upside down, the capital letters of Matplotlib's fonts that look like no
digit, and digits whose pixels are in random order. An image is found if its error is larger than
that of 95 % of the other 10,000 training digits. Digits of the same fonts, and digits moved by a
pixel, show how much is due to print and to the place; PCA's error, and the ink of an image,
whether a network is needed.
"""

# %% 准备 · imports and options
import lab

import common

import drawing
import matplotlib.pyplot as plt
import networks
import numpy as np
from keras.optimizers import Adam
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont
from sklearn.metrics import roc_auc_score

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
held_out = len(x_train) // 6  # 10,000 of 60,000
x_learnt = x_train[:-held_out].reshape(-1, 784)
x_held_out = x_train[-held_out:].reshape(held_out, 784)

# %% 印刷体的大写字母和数字 · capital letters and digits in print, as MNIST has its digits
shapes = "ACEFHJKMNPRTUVWXY"  # of letters
letters = []
printed_digits = []
args.runs.mkdir(parents=True, exist_ok=True)
file = args.runs / "letter.png"
for family in ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"):
    for weight in ("normal", "bold"):
        for style in ("normal", "oblique"):
            properties = FontProperties(family=family, weight=weight, style=style)
            font = ImageFont.truetype(findfont(properties), size=100)
            for letter in shapes + "0123456789":
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
moved = np.roll(some_digits, -1, axis=2)
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
def network_error(folder, x):
    """Return the mean squared error of each image, of the network in a folder."""
    return lab.errors_of(x, lab.reconstruct(folder, x))


def pca_error(folder, x):
    """Return PCA's mean squared error of each image."""
    return lab.errors_of(x, common.pca(x_learnt, x, 32)[2])


usual_ink = np.mean(x_learnt**2)


def ink(folder, x):
    """Return by how much each image's mean squared pixel differs from that of learnt digits."""
    return np.abs(np.mean(x**2, axis=1) - usual_ink)


folders = []
for seed in args.seeds:
    lab.set_seed(seed)
    folders.append(lab.train(args, networks.deep(), x_learnt, 50, Adam(0.0015)).folder)
ways = {"the network": network_error, "PCA 32": pca_error, "ink": ink}
found = {}  # way and kind to whether each image is found, (seeds, images)
areas = {}  # the areas under the ROC curves, a value from each seed
for way, error_of in ways.items():
    for kind in kinds:
        found[way, kind] = []
        areas[way, kind] = []
    for folder in folders:
        if way != "the network" and folder != folders[0]:
            continue  # PCA and ink have no seed
        limit = np.quantile(error_of(folder, x_held_out), 0.95)
        test_errors = error_of(folder, flat_test)
        for kind, x in kinds.items():
            errors = error_of(folder, x.reshape(len(x), 784))
            found[way, kind].append(errors > limit)
            is_other = np.repeat([False, True], [len(test_errors), len(errors)])
            areas[way, kind].append(roc_auc_score(is_other, np.append(test_errors, errors)))


# %% 印刷体只有几种形状 · printed images are few shapes: 17 letters, 10 digits
def shapes_interval(of_letters, of_digits=None):
    """Return a mean over letters (less that over printed digits) with its 95 % interval, as text.

    `of_letters`, `of_digits`: values of images, (seeds, images). Shapes and seeds are drawn again,
    10,000 times (bootstrap); the styles of a shape stay together.
    """
    rng = np.random.default_rng(0)
    means = []
    for _ in range(10_000):
        mean = drawn_again(of_letters, len(shapes), rng)
        if of_digits is not None:
            mean -= drawn_again(of_digits, 10, rng)
        means.append(mean)
    low, high = np.quantile(means, [0.025, 0.975])
    mean = np.mean(of_letters)
    if of_digits is not None:
        mean -= np.mean(of_digits)
    return f"{mean:+.1f} ({low:+.1f} … {high:+.1f})"


def drawn_again(values, count, rng):
    """Return the mean over seeds and shapes, both drawn again; `values`: (seeds, styles x count)."""
    by_shape = np.reshape(values, (len(values), -1, count)).mean(axis=1)
    seeds = rng.integers(len(values), size=len(values))
    chosen = rng.integers(count, size=count)
    return by_shape[seeds][:, chosen].mean()


# %% 画图：误差的分布 · draw the distributions of the errors, and examples, of the first seed
folder = folders[0]
limit = np.quantile(network_error(folder, x_held_out), 0.95)
images = {}
errors = {}
for kind, x in kinds.items():
    flat = x.reshape(len(x), 784)
    images[kind] = lab.reconstruct(folder, flat)
    errors[kind] = lab.errors_of(flat, images[kind])
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
        percents = [100 * np.mean(of_seed) for of_seed in found[way, kind]]
        row.append(lab.spread(percents, 1))
        row.append(lab.spread(areas[way, kind], 3))
    rows.append(row)
by_network = 100.0 * np.array(found["the network", "letters"])
by_pca = 100.0 * np.array(found["PCA 32", "letters"])
printed = 100.0 * np.array(found["the network", "printed digits"])
sentences = [
    f"Of letters the network finds {shapes_interval(by_network)} %, PCA {shapes_interval(by_pca)} "
    + f"%, the network more by {shapes_interval(by_network - by_pca)} points.",
    "Of letters the network finds more than of printed digits by "
    + f"{shapes_interval(by_network, printed)} points.",
]
turned = "3, 4 and 7 upside down"
for other in ("3, 4 and 7 moved by a pixel", "3, 4 and 7"):
    area = lab.difference(areas["the network", turned], areas["the network", other], 3)
    sentences.append(f"The network's area of *{turned}* exceeds that of *{other}* by {area}.")
area = lab.difference(areas["the network", turned], areas["PCA 32", turned], 3)
sentences.append(f"The network's area of *{turned}* exceeds PCA's by {area}.")
lab.report(args, "anomalies", head, rows, "\n".join(sentences))
