"""Reads the images in a folder, hands them over in batches, and draws them."""

import common

import collections
import csv
import hashlib
import io
import struct

import keras
import numpy as np
from matplotlib.font_manager import get_font_names
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from PIL import Image, ImageOps

Image.init()  # Pillow then knows all its formats
ENDINGS = {ending for ending, name in Image.registered_extensions().items() if name in Image.OPEN}
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
# For names of files: Matplotlib's own font, and behind it those with Chinese that Windows, macOS and
# Linux have.
FONTS = ["DejaVu Sans"]
for font in ("Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "Noto Sans CJK SC"):
    if font in get_font_names():
        FONTS.append(font)


# ---- Reading --------------------------------------------------------------------------------


def find_images(folder, left_out):
    """Return the paths of the image files in a folder and its subfolders, a sorted list.

    Nothing is taken from the folder `left_out`. What is no image is counted and printed. Raises
    FileNotFoundError or NotADirectoryError if there is no such folder.
    """
    if not folder.exists():
        raise FileNotFoundError(f"没有文件夹 · there is no folder {folder.resolve()}")
    if not folder.is_dir():
        raise NotADirectoryError(f"不是文件夹 · this is a file, not a folder: {folder.resolve()}")
    paths = []
    others = collections.Counter()
    output = left_out.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or output in path.resolve().parents:
            continue
        if path.suffix.lower() in ENDINGS:
            paths.append(path)
        else:
            others[path.suffix.lower()] += 1
    if others:
        counts = ", ".join(f"{count} {ending}" for ending, count in others.items())
        print(f"不是图片，跳过 · Left out, as they are no images that Pillow reads: {counts}")
    if others[".heic"]:
        print("HEIC: 请先另存为 JPEG · save these as JPEG first")
    return paths


def read_images(paths, size, channels):
    """Read image files; return the images, the paths that were read, and each file's SHA-256.

    Of each image the middle square is taken, and scaled to `size` x `size` pixels, with 1 channel
    (grey) or 3 (red, green, blue). Images: uint8, (n, size, size, channels). What cannot be read
    is left out, and printed. Raises ValueError if fewer than 50 images can be read.
    """
    images = np.empty((len(paths), size, size, channels), "uint8")
    read = []
    hashes = []
    for i, path in enumerate(paths):
        if i % 1000 == 0:
            print(f"读取 · Reading {len(paths) - i:,} images", flush=True)
        try:
            content = path.read_bytes()
            images[len(read)] = read_image(io.BytesIO(content), size, channels)
        except UNREADABLE as error:
            print(f"无法读取，跳过 · Left out, as it cannot be read: {path} ({error})")
            continue
        read.append(path)
        hashes.append(hashlib.sha256(content).hexdigest())
    if len(read) < FEWEST:
        raise ValueError(
            f"只读到 {len(read)} 张图片 · only {len(read)} images; {FEWEST} are needed"
        )
    return images[: len(read)], read, hashes


def read_images_once(paths, size, channels, file):
    """Return what `read_images` does, with the paths as texts; from `file`, if that has it.

    `file`: a .npz file, in which `save_arrays` has saved what this function returns: a dictionary
    of `images`, `names`, `hashes` and `listing`, by which it is found again: the paths, sizes and
    dates of the image files.
    """
    listing = [f"{size} {channels}"]
    for path in paths:
        status = path.stat()
        listing.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    if file.exists():
        with np.load(file) as saved:
            if saved["listing"].tolist() == listing:
                return dict(saved)
    images, read, hashes = read_images(paths, size, channels)
    names = [str(path) for path in read]
    return {"images": images, "names": names, "hashes": hashes, "listing": listing}


def save_arrays(path, **arrays):
    """Save arrays into a .npz file; an earlier one stays until the new one is whole."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)


def count_channels(paths):
    """Return 1 if all image files are stored as grey, or else 3."""
    for path in paths:
        try:
            with Image.open(path) as image:
                if image.mode not in GREY_MODES:
                    return 3
        except UNREADABLE:
            continue  # read_images will say so
    return 1


def read_image(path, size, channels):
    """Return the middle square of an image file, (size, size, channels), uint8.

    A transparent image is laid on white. More than 8 bits a pixel are scaled to 8, by the values:
    up to 1, 255, 4,095 (12 bits) or 65,535. Raises Pillow's errors.
    """
    with Image.open(path) as opened:
        opened.draft(None, (2 * size, 2 * size))  # reads large JPEGs coarsely, which is faster
        ImageOps.exif_transpose(opened, in_place=True)  # turned as the camera was held
        side = min(opened.size)
        left = (opened.width - side) // 2
        top = (opened.height - side) // 2
        # 先缩小，再做别的：大图占的内存少 · scaled before anything else, which takes less memory
        small = in_a_common_mode(opened).resize(
            (size, size),
            Image.Resampling.BICUBIC,
            box=(left, top, left + side, top + side),
            reducing_gap=3,
        )
    if small.has_transparency_data:
        colours = small.convert("RGBA")
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), colours)
    mode = "RGB"
    if channels == 1:
        mode = "L"
    return np.asarray(small.convert(mode)).reshape(size, size, channels)


def in_a_common_mode(image):
    """Return an image in a mode that can be scaled well: grey, or colours, perhaps transparent."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(to_bytes(np.asarray(image)))
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB")


def to_bytes(values):
    """Return grey values of more than 8 bits, or real ones, as uint8, 0 to 255."""
    largest = 65535
    for bound in (1, 255, 4095):
        if values.max() <= bound:
            largest = bound
            break
    return np.clip(255 * (values / largest), 0, 255).round().astype("uint8")


# ---- Training -------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):
    """Images in batches, each as `(x, x)`, as `fit(x, x)` takes them in the post.

    `images`: uint8, (n, size, size, channels); `numbers`: which of them, (m,), in this order. A
    batch is float32, from 0 to 1, (batch_size or fewer, size, size, channels). With a seed, the
    images come in another order in each epoch; with `flips`, half of them are mirrored.
    """

    def __init__(self, images, numbers, batch_size=32, seed=None, flips=False):
        super().__init__()
        self.images = images
        self.numbers = numbers
        self.batch_size = batch_size
        self.rng = np.random.default_rng(seed)
        self.mixed = seed is not None
        self.flips = flips

    def __len__(self):
        return int(np.ceil(len(self.numbers) / self.batch_size))

    def __getitem__(self, i):
        numbers = self.numbers[i * self.batch_size : (i + 1) * self.batch_size]
        x = self.images[numbers].astype("float32") / 255
        if self.flips:
            mirrored = self.rng.random(len(x)) < 0.5
            x[mirrored] = x[mirrored, :, ::-1]
        return x, x

    def on_epoch_end(self):
        if self.mixed:
            self.numbers = self.rng.permutation(self.numbers)


# ---- What is shown --------------------------------------------------------------------------


def short_name(name):
    """Return the end of a path, short enough to stand above a small image."""
    if len(name) > 18:
        return "…" + name[-17:]
    return name


def draw_images(rows, path):
    """Draw rows of images with a title above each, as a figure and as a PNG file.

    `rows`: a list of rows; each row is a list of pairs, an image, (size, size, channels), uint8 or
    in [0, 1], and a title.
    """
    columns = max(len(row) for row in rows)
    figure = common.new_figure(path, 1.5 * columns, 1.7 * len(rows))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, row_axes in zip(rows, axes, strict=True):
        for ax in row_axes[len(row) :]:
            ax.axis("off")
        for (image, title), ax in zip(row, row_axes, strict=False):
            highest = 255 if image.dtype == np.uint8 else 1
            ax.imshow(image.squeeze(), "gray", vmin=0, vmax=highest)  # grey, if it has one channel
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, fontsize=7, family=FONTS)
    common.save_figure(figure, path)


def draw_map(places, images, path):
    """Draw images as thumbnails at their places, (n, 2), as a figure and as a PNG file.

    Where another one stands already, an image is left out.
    """
    figure = common.new_figure(path, 9, 8)
    figure.set_layout_engine("constrained")
    ax = figure.add_subplot()
    lowest = places.min(axis=0)
    spans = np.ptp(places, axis=0)
    spans[spans == 0] = 1
    from_0_to_1 = (places - lowest) / spans
    taken = set()
    for place, image in zip(from_0_to_1, images, strict=True):
        cell = tuple((place * 24).astype(int))  # 25 x 25 cells, an image in each
        if cell in taken:
            continue
        taken.add(cell)
        thumbnail = OffsetImage(image.squeeze(), zoom=22 / len(image), cmap="gray")
        ax.add_artist(AnnotationBbox(thumbnail, place, frameon=False))
    ax.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[], yticks=[])
    ax.set(xlabel="first axis of PCA of the codes", ylabel="second axis")
    common.save_figure(figure, path)


def write_errors(path, names, errors, kinds):
    """Write a table that Excel opens: name, error, and learnt, held out or new; a row an image."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "error", "kind"])
        for name, error, kind in zip(names, errors, kinds, strict=True):
            writer.writerow([name, f"{error:.6f}", kind])
