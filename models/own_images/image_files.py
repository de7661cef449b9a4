"""Reads the images in a folder, hands them over in batches, and draws them."""

import common

import collections
import contextlib
import struct

import keras
import numpy as np
from PIL import Image, ImageOps

ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")  # as Pillow calls them
# What Pillow raises if a file is broken, or too large.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)
FEWEST = 50  # with fewer images there is little to learn


def read_folder(folder, size, file, wanted_channels=None):
    """Read the images of a folder and its subfolders, and write them into one file.

    Of each image the middle square is taken, and scaled to `size` x `size` pixels, with 1 channel
    (grey) or 3 (red, green, blue): as many as are wanted, or 3 unless all files are stored as
    grey. `file`: a .npy file for an array, (n or more, size, size, channels), uint8; if files are
    left out, rows at its end stay empty. So each image is read once, and the memory holds one at
    a time.

    Returns the n images' paths within the folder, a list of texts, and the channels. What cannot
    be read is left out, and printed. Raises FileNotFoundError if there is no such folder, and
    ValueError if fewer than 50 images can be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"没有文件夹 · there is no folder {folder.resolve()}")
    paths = []
    others = collections.Counter()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            paths.append(path)
        elif path.is_file():
            others[path.suffix.lower()] += 1
    if others:
        counts = ", ".join(f"{count} {ending}" for ending, count in others.items())
        print(f"Left out: {counts} (what is read: {' '.join(ENDINGS)})")
    channels = wanted_channels
    if wanted_channels is None:
        channels = count_channels(paths)
    shape = (max(len(paths), 1), size, size, channels)
    array = np.lib.format.open_memmap(file, "w+", "uint8", shape)
    names = []
    for i, path in enumerate(paths):
        if i % 1000 == 0:
            print(f"Reading {len(paths) - i:,} images", flush=True)
        try:
            array[len(names)] = read_image(path, size, channels)
        except UNREADABLE as error:
            print(f"Left out, as it cannot be read: {path} ({error})")
            continue
        names.append(path.relative_to(folder).as_posix())
    if len(names) < FEWEST:
        raise ValueError(f"{folder}: {len(names)} images can be read; at least {FEWEST} must")
    return names, channels


def count_channels(paths):
    """Return 1 if all image files are stored as grey, or else 3."""
    for path in paths:
        # This reads the first bytes of a file; if these are broken, read_folder will say so.
        with contextlib.suppress(*UNREADABLE), Image.open(path) as image:
            if image.mode not in GREY_MODES:
                return 3
    return 1


def read_image(path, size, channels):
    """Return the middle square of an image file, (size, size, channels), uint8.

    A transparent image is laid on white; 16 bits a pixel are scaled to 8. Raises Pillow's errors.
    """
    with Image.open(path) as file:
        file.draft(None, (2 * size, 2 * size))  # reads large JPEGs coarsely, which is faster
        image = ImageOps.exif_transpose(file)  # turned as the camera was held
    if image.mode.startswith("I"):  # 16 bits, up to 65,535 = 257 x 255
        image = Image.fromarray((np.asarray(image) // 257).astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "RGB"
    if channels == 1:
        mode = "L"
    image = ImageOps.fit(image.convert(mode), (size, size))
    return np.asarray(image).reshape(size, size, channels)


def load_images(file, numbers):
    """Return some images of the file that `read_folder` has written, by their numbers, (m,).

    They are float32, from 0 to 1, (m, size, size, channels).
    """
    array = np.load(file, mmap_mode="r")  # nothing is read but these images
    return array[numbers].astype("float32") / 255


class Batches(keras.utils.PyDataset):
    """Images in batches, each as `(x, x)`, as `fit(x, x)` takes them in the post.

    `file`: what `read_folder` has written; `numbers`: which images of it, (m,), in this order.
    A batch is float32, from 0 to 1, (batch_size or fewer, size, size, channels). With a seed,
    the images come in another order in each epoch.
    """

    def __init__(self, file, numbers, batch_size=32, seed=None):
        super().__init__()
        self.file = file
        self.numbers = numbers
        self.batch_size = batch_size
        self.random = None
        if seed is not None:
            self.random = np.random.default_rng(seed)

    def __len__(self):
        return int(np.ceil(len(self.numbers) / self.batch_size))

    def __getitem__(self, i):
        numbers = self.numbers[i * self.batch_size : (i + 1) * self.batch_size]
        x = load_images(self.file, numbers)
        return x, x

    def on_epoch_end(self):
        if self.random is not None:
            self.numbers = self.random.permutation(self.numbers)


def draw_images(rows, path):
    """Draw rows of images with a title above each, as a figure and as a PNG file.

    `rows`: a list of rows; each row is a list of pairs, an image, (size, size, channels), in
    [0, 1], and a title.
    """
    columns = max(len(row) for row in rows)
    figure = common.new_figure(path, 1.5 * columns, 1.7 * len(rows))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, row_axes in zip(rows, axes, strict=True):
        for ax in row_axes:
            ax.axis("off")
        for (image, title), ax in zip(row, row_axes, strict=False):
            ax.imshow(image.squeeze(), "gray", vmin=0, vmax=1)  # grey, if it has one channel
            ax.set_title(title, fontsize=7)
    common.save_figure(figure, path)
