"""Does a network's error find images that are no digits?

The deep network, trained on digits (50 epochs of Adam, seed 0), gets digits upside down,
the capital letters of Matplotlib's fonts that look like no digit, and digits whose pixels
are in random order. An image is found if its error is larger than that of 95 % of the test
digits. Digits of the same fonts show how much of it is due to print.
"""

# %% 准备 · imports and options
import lab

import common

import drawing
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_test = x_test.reshape(len(x_test), 784)
folder = lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0")
autoencoder = common.load_model("autoencoder", folder)


# %% 印刷体的大写字母和数字 · capital letters and digits in print, as MNIST has its digits
letters = []
printed_digits = []
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
                x = drawing.load_drawing(file).ravel()
                if letter.isdigit():
                    printed_digits.append(x)
                else:
                    letters.append(x)

# %% 每张图片的误差 · the error of each image
# 3、4、7 旋转 180° 之后不是数字；全部像素的顺序反过来，就是旋转 180°。
# Upside down, 3, 4 and 7 are no digits. All pixels in reverse order are an image upside down.
upside_down = x_test[np.isin(y_test, [3, 4, 7])][:, ::-1]
kinds = {
    "test digits": x_test,
    "3, 4 and 7 upside down": upside_down,
    "printed digits": np.array(printed_digits),
    "letters": np.array(letters),
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
    ("upside down", kinds["3, 4 and 7 upside down"]),
    ("reconstructed", images["3, 4 and 7 upside down"]),
    ("letters", kinds["letters"]),
    ("reconstructed", images["letters"]),
]
figure = plt.figure(figsize=(11, 8), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[4, 6])
ax = above.subplots()
for kind, values in errors.items():
    weights = np.full(len(values), 100 / len(values))  # the share of an image, in percent
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
sentences = f"""The limit, {limit:.4f}, is such that {found["test digits"]} of the test digits \
are above it, and {found["printed digits"]} of printed digits. It finds {found["noise"]} of \
noise, {found["letters"]} of letters, and {found["3, 4 and 7 upside down"]} of digits upside \
down."""
lab.report(args, "anomalies", head, rows, sentences)
