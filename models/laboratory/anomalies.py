"""Does a network's error find what does not belong?

The deep network, trained on digits (50 epochs of Adam, seed 0), gets digits upside down,
the capital letters of Matplotlib's fonts that look like no digit, and digits whose pixels
are in random order.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_test = x_test.reshape(len(x_test), 784)
folder = lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0")
autoencoder = common.load_model("autoencoder", folder)


# %% 大写字母 · capital letters
def letter_image(letter, font):
    """Return a letter in white on black, 20 pixels high or wide, as MNIST has digits."""
    path = TextPath((0, 0), letter, size=100, prop=font)
    corners = path.get_extents().get_points()
    scale = 20 / np.max(corners[1] - corners[0])
    # 每个像素每个方向取 4 个点 · Each pixel is looked at in 4 x 4 points.
    offsets = ((np.arange(28 * 4) + 0.5) / 4 - 14) / scale
    x, y = np.meshgrid(offsets, -offsets)
    points = np.column_stack([x.ravel(), y.ravel()]) + corners.mean(axis=0)
    inside = np.zeros(len(points), bool)
    for (
        outline
    ) in path.to_polygons():  # 字母中的孔也是一个轮廓 · A's hole is an outline as well.
        inside ^= Path(outline).contains_points(points)
    return inside.reshape(28, 4, 28, 4).mean(axis=(1, 3)).ravel()


letters = []
for family in ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"):
    for weight in ("normal", "bold"):
        for style in ("normal", "oblique"):
            font = FontProperties(family=family, weight=weight, style=style)
            for letter in "ACEFHJKMNPRTUVWXY":
                letters.append(letter_image(letter, font))

# %% 每张图片的误差 · the error of each image
turned = x_test[np.isin(y_test, [2, 3, 4, 5, 7])]  # they are no digits upside down
kinds = {
    "test digits": x_test,
    "digits upside down (2, 3, 4, 5, 7)": turned[:, ::-1],
    "letters": np.array(letters, dtype="float32"),
    "noise": np.random.default_rng(0).permuted(x_test, axis=1),
}
images = {}
errors = {}
for kind, x in kinds.items():
    images[kind] = autoencoder.predict(x, batch_size=1000, verbose=0)
    errors[kind] = np.mean((images[kind] - x) ** 2, axis=1)
limit = np.quantile(errors["test digits"], 0.95)

# %% 画图：误差的分布 · draw the distributions of the errors, and examples
worst = np.argsort(errors["test digits"])[::-1][:10]
strips = [
    ("worst digits", kinds["test digits"][worst]),
    ("reconstructed", images["test digits"][worst]),
    ("upside down", kinds["digits upside down (2, 3, 4, 5, 7)"]),
    ("reconstructed", images["digits upside down (2, 3, 4, 5, 7)"]),
    ("letters", kinds["letters"]),
    ("reconstructed", images["letters"]),
]
figure = plt.figure(figsize=(11, 8), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[4, 6])
ax = above.subplots()
for kind, values in errors.items():
    weights = np.full(len(values), 100 / len(values))
    bins = np.geomspace(1e-4, 0.3, 120)
    ax.hist(values, bins, weights=weights, histtype="step", linewidth=1.5, label=kind)
ax.axvline(limit, color="gray", ls="--", label="95 % of the digits are below")
ax.set(xscale="log", xlabel="mean squared error", ylabel="%")
ax.legend()
axes = below.subplots(len(strips), 1)
for ax, (label, x) in zip(axes, strips, strict=True):
    ax.imshow(np.hstack(x[:10].reshape(10, 28, 28)), cmap="gray", vmin=0, vmax=1)
    ax.set_ylabel(label, rotation=0, ha="right", va="center")
    ax.set(xticks=[], yticks=[])
figure.savefig(args.pictures / "anomalies.png", dpi=100)

# %% 结果 · the table, and what came out
head = ["deep, code 32", "how many", "median MSE", f"MSE above {limit:.4f}"]
rows = []
found = {}
for kind, values in errors.items():
    found[kind] = f"{100 * np.mean(values > limit):.1f} %"
    rows.append([kind, str(len(values)), f"{np.median(values):.4f}", found[kind]])
sentences = f"""Of the test digits {found["test digits"]} have an error above {limit:.4f}. Of \
letters {found["letters"]} have it, and {found["digits upside down (2, 3, 4, 5, 7)"]} of \
digits upside down, which are made of the same strokes."""
lab.report(args, "anomalies", head, rows, sentences)
