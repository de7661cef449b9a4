"""试用 my_images.py 的图片 · Images to try my_images.py with, if you have none at hand.

    python models/own_images/sample_images.py

makes two folders in models/sample_images: photographs has 520 pieces of two photographs that come
with scikit-learn, and digits the first 5,000 training digits of MNIST, each in a colour of its own.

    python models/own_images/sample_images.py FOLDER

makes a third one, pieces, of the photographs in a folder: from each up to 130 squares side by side,
64 x 64, in a folder of its own.
"""

# %% 准备 · imports and options
import sys

# 在单元格中，工作目录也可以是项目文件夹 · In cells, you may be in the project's folder, too.
sys.path.append("models/own_images")
import project

import common

import argparse
import colorsys
from pathlib import Path

import image_files
import numpy as np
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_images

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path, nargs="?", help="照片文件夹 · a folder of photographs")
args = parser.parse_args(common.command_line(project.FOLDER))
folder = project.PROJECT / "models" / "sample_images"


# %% 照片：切成小块 · photographs, in pieces
def cut(photograph, size, pieces):
    """Save squares of a photograph, (height, width, 3), uint8, in the folder `pieces`."""
    pieces.mkdir(parents=True, exist_ok=True)
    height, width, _ = photograph.shape
    for top in range(0, height - size + 1, size):
        for left in range(0, width - size + 1, size):
            piece = photograph[top : top + size, left : left + size]
            Image.fromarray(piece).save(pieces / f"{top:03}_{left:03}.png")


if args.folder:
    for path in image_files.find_images(args.folder, left_out=folder):
        with Image.open(path) as image:
            photograph = ImageOps.fit(image.convert("RGB"), (832, 640))
        cut(np.asarray(photograph), 64, folder / "pieces" / path.stem)
else:
    for name, photograph in zip(["temple", "flower"], load_sample_images().images, strict=True):
        cut(photograph, 32, folder / "photographs" / name)

    # 数字：各有一种颜色 · digits, each in a colour of its own
    (x_train, y_train), _ = common.load_mnist()
    (folder / "digits").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(5000):
        colour = np.array(colorsys.hsv_to_rgb(rng.random(), 1, 1))
        image = (255 * x_train[i][:, :, np.newaxis] * colour).round().astype("uint8")
        Image.fromarray(image).save(folder / "digits" / f"{i:04}_{y_train[i]}.png")
print(f"Made: {folder}")
