"""Reads a drawing or a scan of a digit, as MNIST has its own digits."""

import numpy as np
from PIL import Image


def load_drawing(path):
    """Return a drawn digit as MNIST has its own: (28, 28), float32 in [0, 1].

    `path`: an image file with one digit and nothing else, dark on light or light on dark, evenly
    lit, with any margin. What is transparent counts as white paper.

    As in MNIST, http://yann.lecun.com/exdb/mnist/, the digit is white on black, keeps its
    proportions, fits 20 x 20 pixels, and has its centre of mass in the middle.

    Raises ValueError if no digit is found, and Pillow's errors if the file cannot be read.
    """
    with Image.open(path) as file:
        image = file.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    grey = np.asarray(Image.alpha_composite(paper, image).convert("L"), "float32") / 255
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(border))  # paper is about 0, whether it is light or dark
    if ink.max() < 0.2:
        raise ValueError(f"{path}: 没有找到数字 · no digit is found, or it is too pale")

    ink = ink / ink.max()
    rows, columns = np.nonzero(ink > 0.5)
    ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = 20 / max(ink.shape)
    height = max(1, round(ink.shape[0] * scale))
    width = max(1, round(ink.shape[1] * scale))
    # Each new pixel is the mean of those that it covers.
    digit = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
    digit = digit / digit.max()

    # In MNIST's own images, the centre of mass is at row 14 and column 14, on average.
    row = np.average(np.arange(height), weights=digit.sum(axis=1))
    column = np.average(np.arange(width), weights=digit.sum(axis=0))
    top = min(max(0, round(14 - row)), 28 - height)
    left = min(max(0, round(14 - column)), 28 - width)
    image = np.zeros((28, 28), "float32")
    image[top : top + height, left : left + width] = digit
    return image
