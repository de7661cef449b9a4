"""Reads a drawing or a photo of a digit, as MNIST has its own digits."""

import common

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage
from scipy.cluster.vq import kmeans2


def load_drawing(path):
    """Return a drawn digit as MNIST has its own: (28, 28), float32 in [0, 1].

    `path`: an image file with one digit and nothing else, dark on light or light on dark,
    with any margin: photographed on paper, or saved by a drawing program, on a transparent
    ground too. A photo is turned as its camera says (EXIF).

    As in MNIST, http://yann.lecun.com/exdb/mnist/, the digit is white on black, keeps its
    proportions, fits 20 x 20 pixels, and has its centre of mass in the middle.

    Raises UserError if the file cannot be read, or no digit is found in it.
    """
    try:
        grey = _read_grey(path)
    except OSError as error:
        raise common.UserError(f"{path} cannot be read as an image ({error})") from error
    ink = _find_ink(grey)
    if ink is None:
        raise common.UserError(f"there is no digit in {path}, or it is too pale")
    height, width = ink.shape
    scale = 20 / max(height, width)
    new_height = max(1, round(height * scale))
    new_width = max(1, round(width * scale))
    # Each new pixel is the mean of those that it covers.
    box = Image.Resampling.BOX
    digit = np.asarray(Image.fromarray(ink).resize((new_width, new_height), box))
    digit = digit / digit.max()

    # In MNIST's own images, the centre of mass is at row 14 and column 14, on average.
    row, column = ndimage.center_of_mass(digit)
    top = min(max(0, round(14 - row)), 28 - new_height)
    left = min(max(0, round(14 - column)), 28 - new_width)
    image = np.zeros((28, 28), "float32")
    image[top : top + new_height, left : left + new_width] = digit
    return image


def _read_grey(path):
    """Return an image file's brightness: 0 to 1, float32, (height, width).

    Height and width are at most 600 pixels, which is enough for a digit.
    """
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I"):  # grey of 16 bits
        grey = np.asarray(image, "float32") / 65535
    elif image.has_transparency_data:
        # Pillow takes any colours to RGBA, and these to grey (L) and opacity (A).
        pixels = np.asarray(image.convert("RGBA").convert("LA"), "float32") / 255
        grey = _with_paper(pixels[..., 0], pixels[..., 1])
    else:
        grey = np.asarray(image.convert("L"), "float32") / 255
    smaller = Image.fromarray(grey)
    smaller.thumbnail((600, 600))
    return np.asarray(smaller)


def _with_paper(grey, opacity):
    """Return brightness with paper where nothing is opaque. All: 0 to 1, (height, width).

    If only ink is visible, dark ink gets white paper, and light ink black paper.
    """
    visible = grey[opacity > opacity.max() / 2]
    if len(visible) == 0:  # nothing at all is drawn
        return grey * 0
    usual = np.median(visible)
    if visible.max() - visible.min() > 0.5:
        # Paper is visible too, and there is more of it than of ink.
        paper = usual
    elif usual < 0.5:  # dark ink alone
        paper = 1
    else:  # light ink alone
        paper = 0
    return grey * opacity + paper * (1 - opacity)


def _find_ink(grey):
    """Return the part of an image that the digit is in, 0 to 1, 1 is ink; None if none is.

    grey: brightness, 0 to 1, (height, width).
    """
    darkness = _darkness(_with_dark_ink(grey))
    if darkness.max() < 0.05:
        return None
    mask = _ink_mask(darkness)
    if mask is None:
        return None
    # A digit's edge is neither ink nor paper, and belongs to it: one or two pixels more.
    edge = max(1, max(grey.shape) // 300)
    with_edge = ndimage.binary_dilation(mask, np.ones((3, 3)), edge)
    full = np.percentile(darkness[mask], 95)  # of ink; a few pixels may be darker
    ink = np.clip(darkness / full, 0, 1) * with_edge

    # MNIST's thin lines are as thick as a twelfth of the digit. A thinner one is made as
    # thick, so that it is not lost among 28 x 28 pixels.
    height, width = mask[_part(mask)].shape
    missing = round(max(height, width) / 12 - _thickness(mask))
    if missing > 0:
        # A window of 2 pixels makes a line 1 pixel thicker, one of 3 pixels 2, and so on.
        ink = ndimage.grey_dilation(ink, missing + 1)
    return ink[_part(ink > 0.5)].astype("float32")


def _with_dark_ink(grey):
    """Return an image without its finest noise and, if its ink is light, as a negative."""
    side = max(grey.shape)
    smooth = ndimage.gaussian_filter(grey, side / 400)
    # Ink covers less than paper does, and differs more from the mean of what is around it.
    # With light ink, for example, 10 pixels may differ by +0.9, and 90 by -0.1. In the mean
    # these cancel out; in the mean of their cubes, +0.729 and -0.001, the ink's sign stays.
    around = ndimage.gaussian_filter(smooth, side / 6)
    if np.mean((smooth - around) ** 3) > 0:
        return 1 - smooth
    return smooth


def _darkness(grey):
    """Return how much darker than paper each pixel is, as a share: about 0 is paper."""
    # Ink takes the same share of the light from bright and from shaded paper.
    darkness = 1 - grey / _paper(grey)
    return darkness - np.median(darkness)  # most pixels are paper


def _paper(grey):
    """Return how bright the paper is at each pixel of an image, at least 0.01.

    Both are (height, width).
    """
    # Light falls off from side to side. So a plane, a + b * row + c * column, is fitted to
    # the brightness: the light. Divided by it, paper is about equally bright everywhere.
    rows, columns = np.indices(grey.shape)
    terms = np.column_stack([np.ones(grey.size), rows.ravel(), columns.ravel()])
    factors = np.linalg.lstsq(terms, grey.ravel())[0]
    light = np.maximum(terms @ factors, 0.1).reshape(grey.shape)
    # A closing fills dark places that are narrower than a third of the image, the strokes,
    # with the brightness around them. That leaves paper without ink, as if under even light.
    # Multiplied by the light, it is as bright as in the image.
    size = max(3, max(grey.shape) // 3)
    paper = light * ndimage.grey_closing(grey / light, size)
    return np.maximum(paper, 0.01)


def _ink_mask(darkness):
    """Return which pixels are ink, bool, (height, width); None if that cannot be told."""
    # k-means parts the pixels into two kinds, by their distance from the kind's mean. It
    # starts with 0 for paper, the kind 0, and with the darkest pixel for ink, the kind 1.
    start = np.array([0, darkness.max()])
    means, kinds = kmeans2(darkness.ravel(), start, minit="matrix")
    mask = kinds.reshape(darkness.shape) == 1
    # Ink must stand out: be darker than paper by five times of what paper itself varies.
    noise = np.std(darkness[~mask])
    if means[1] - means[0] < 5 * noise:
        return None
    # Of the pieces that hang together, small ones are specks, and no parts of a digit.
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))  # 0 is paper; 1, 2, 3 ... are pieces
    sizes = np.bincount(pieces.ravel())
    specks = np.flatnonzero(sizes < sizes[1:].max() / 20)
    mask[np.isin(pieces, specks)] = False
    return mask


def _thickness(mask):
    """Return about how many pixels thick a digit's line is, at least 2.

    The line's area is its length times its thickness. Its outline is about two lines of the
    same length, one pixel thick, one on either side.
    """
    outline = mask & ~ndimage.binary_erosion(mask)
    return 2 * mask.sum() / outline.sum()


def _part(mask):
    """Return the slices of rows and of columns between which a mask has all that is true."""
    return ndimage.find_objects(mask.astype(int))[0]
