"""Images to try my_images.py with, if you have none at hand.

    python models/own_images/sample_images.py

makes two folders: models/sample_images/photographs has 520 pieces of two photographs that come
with scikit-learn, and models/sample_images/digits the first 5,000 training digits of MNIST, each
in a colour of its own.
"""

# %% 准备 · imports
import project

import common

import colorsys

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

folder = project.PROJECT / "models" / "sample_images"

# %% 照片：切成 32 × 32 的小块 · photographs, in pieces of 32 x 32
for name, photograph in zip(["temple", "flower"], load_sample_images().images, strict=True):
    (folder / "photographs" / name).mkdir(parents=True, exist_ok=True)
    for top in range(0, 427 - 31, 32):
        for left in range(0, 640 - 31, 32):
            piece = photograph[top : top + 32, left : left + 32]
            Image.fromarray(piece).save(folder / "photographs" / name / f"{top:03}_{left:03}.png")

# %% 数字：各有一种颜色 · digits, each in a colour of its own
(x_train, y_train), _ = common.load_mnist()
(folder / "digits").mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
for i in range(5000):
    colour = np.array(colorsys.hsv_to_rgb(random.random(), 1, 1))
    image = (255 * x_train[i][:, :, np.newaxis] * colour).round().astype("uint8")
    Image.fromarray(image).save(folder / "digits" / f"{i:04}_{y_train[i]}.png")
print(f"Made: {folder}")
