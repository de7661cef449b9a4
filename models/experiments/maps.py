"""Draws digits on a map of their codes, and what is decoded there."""

import common

import math

import numpy as np


def map_grid(codes, k=16):
    """Return all pairs of k first numbers and k second numbers, (k * k, 2), float32.

    codes: (n, 2). The numbers are k quantiles of the codes' first numbers, and k of their
    second ones, at equal steps. So the pairs lie on an even grid over the map that `plot_maps`
    draws, whose axes are ranks. They go row by row, from the map's upper left.
    """
    shares = (np.arange(k) + 0.5) / k
    first_numbers = np.quantile(codes[:, 0], shares)
    second_numbers = np.quantile(codes[:, 1], shares)
    x, y = np.meshgrid(first_numbers, second_numbers[::-1])
    return np.column_stack([x.ravel(), y.ravel()]).astype("float32")


def plot_maps(codes, grid_imgs, labels, path):
    """Draw digits by the ranks of their codes' two numbers, and a grid of decoded images.

    `codes`: title to codes, (n, 2); each gets a map. `labels`: the digits' labels, (n,). A
    digit stands where its numbers rank among all digits', from 0 to 1, so that the digits are
    spread over the whole map. `grid_imgs`: title to the images, (k * k, 784), that are
    decoded from `map_grid`.
    """
    figure = common.new_figure(path, 5.5 * len(codes), 11)
    figure.set_layout_engine("constrained")
    for i, title in enumerate(codes):
        upper = figure.add_subplot(2, len(codes), i + 1)
        upper.set(title=title, aspect="equal", xlim=(0, 1), ylim=(0, 1))
        upper.set_xlabel("rank of the first number, from 0 to 1")
        upper.set_ylabel("rank of the second number, from 0 to 1")
        x_places = _places_by_rank(codes[title][:, 0], seed=0)
        y_places = _places_by_rank(codes[title][:, 1], seed=1)
        _scatter(upper, x_places, y_places, labels)

        lower = figure.add_subplot(2, len(codes), len(codes) + i + 1)
        lower.set_title("what is decoded from the codes there")
        images = common.as_images(grid_imgs[title])
        k = math.isqrt(len(images))
        strips = []
        for row in range(k):
            strips.append(np.hstack(images[row * k : (row + 1) * k]))
        lower.imshow(np.vstack(strips), "gray", vmin=0, vmax=1, extent=(0, 1, 0, 1))
    common.save_figure(figure, path)


def _places_by_rank(numbers, seed):
    """Return the rank of each of n numbers, as a place between 0 and 1.

    The smallest has 0.5 / n, the next one 1.5 / n, and so on, to (n - 0.5) / n. Many may be
    equal, such as 0; these are ranked at random, by the seed.
    """
    random_numbers = np.random.default_rng(seed).random(len(numbers))
    # lexsort sorts by its last key; where that is equal, by the one before. order[0] is the
    # place of the smallest number, which gets rank 0.
    order = np.lexsort([random_numbers, numbers])
    ranks = np.empty(len(numbers))
    ranks[order] = np.arange(len(numbers))
    return (ranks + 0.5) / len(numbers)


def _scatter(ax, x, y, labels):
    """Draw points, (n,), in the colours of their labels, and each label at its median."""
    for label in np.unique(labels):
        x_points = x[labels == label]
        y_points = y[labels == label]
        dots = ax.scatter(x_points, y_points, s=3)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        text = ax.text(np.median(x_points), np.median(y_points), str(label), bbox=box)
        text.set(color=dots.get_facecolor()[0], weight="bold", fontsize=18)
        text.set(ha="center", va="center")
