"""编码最近的图片是同一类吗 · Are the nearest images of the same kind?

    python models/own_images/alike.py

after a run of my_images.py: of images whose folder, or the digit at the end of whose name, says
what they show, how many of the five nearest are of the same kind (precision at five)? By the
network's codes, by codes of PCA of the same size, by thumbnails of 8 x 8, and by all pixels. Images
from one folder may be pieces of one photograph: then this says how often a piece finds its photograph.
"""

# %% 准备 · imports and options
import sys

# 在单元格中，工作目录也可以是项目文件夹 · In cells, you may be in the project's folder, too.
sys.path.append("models/own_images")
import project

import common

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.neighbors import NearestNeighbors

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--models", type=Path, default=project.PROJECT / "models", help="网络 · networks"
)
args = parser.parse_args(common.command_line(project.FOLDER))
folder = args.models / "my_images"
with np.load(folder / "images.npz") as file:
    images = file["images"]
with np.load(folder / "codes.npz") as file:
    codes = file["codes"]
    kinds = file["kinds"]
    names = file["names"].tolist()
subjects = []  # 每张图片画的是什么 · what each image shows
for name in names:
    path = Path(name)
    if "/" in name:
        subjects.append(path.parent.as_posix())
    else:
        subjects.append(path.stem[-1])
subjects = np.array(subjects)

# %% 各种表示 · the images in all forms
x = images.reshape(len(images), -1)
learnt = kinds == "learnt"
pca_codes = common.pca(x[learnt] / np.float32(255), x / np.float32(255), codes.shape[1])[1]
thumbnails = []
for image in images:
    small = Image.fromarray(image.squeeze()).resize((8, 8), Image.Resampling.BOX)
    thumbnails.append(np.asarray(small).ravel())
forms = {
    f"codes of {codes.shape[1]}": codes,
    f"PCA {codes.shape[1]}": pca_codes,
    "thumbnails, 8 x 8": np.array(thumbnails),
    "all pixels": x,
}

# %% 留出的图片：最近的五张有多少是同类 · held-out images: how many of the five nearest are alike
asked = np.flatnonzero(kinds == "held out")
print(f"{len(asked):,} held-out images     precision at five")
for label, values in forms.items():
    values = values.astype("float32")
    # 自己也在其中，所以取六张 · the image itself is among the six
    nearest = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(values)
    found = nearest.kneighbors(values[asked], return_distance=False)
    right = []
    for number, six in zip(asked, found, strict=True):
        others = six[six != number][:5]
        right.append(np.mean(subjects[others] == subjects[number]))
    print(f"{label:24}{np.mean(right):20.1%}")
