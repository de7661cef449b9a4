"""单层网络怎样重建自己写的数字 · What does the single layer make of a digit that you drew?

Run simple_autoencoder.py first: its network is taken. Then

    python models/own_images/own_digit.py mine.png

draws mine_decoded.png beside the file. It may come from a drawing program or a scanner, dark on
light or light on dark, and must show one digit and nothing else. Cut a photo to the paper around
the digit, and raise its contrast until the paper is white.
"""

# %% 准备 · imports and options
import sys

# 在单元格中，工作目录也可以是项目文件夹 · In cells, you may be in the project's folder, too.
sys.path.append("models/own_images")
import project

import common

import argparse
from pathlib import Path

import drawing
import matplotlib.pyplot as plt

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("file", type=Path, nargs="?", default="mine.png", help="图片 · an image file")
parser.add_argument(
    "--models", type=Path, default=project.PROJECT / "models", help="网络 · networks"
)
args = parser.parse_args(common.command_line(project.FOLDER))

# %% 读图：变成 MNIST 的样子 · read the drawing, as MNIST has its digits
x = drawing.load_drawing(args.file).reshape(1, 784)

# %% 编码和解码 · encode and decode
encoder = common.load_model("encoder", args.models / "simple")
decoder = common.load_model("decoder", args.models / "simple")
encoded_img = encoder.predict(x, verbose=0)
decoded_img = decoder.predict(encoded_img, verbose=0)

# %% 画图 · draw it
rows = {"yours": x, "code": encoded_img, "reconstruction": decoded_img}
common.plot_rows(rows, 1, args.file.with_name(f"{args.file.stem}_decoded.png"), red_blue=["code"])
plt.show()
