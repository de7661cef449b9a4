"""原文《多层的编码解码机》 · The post's deep autoencoder, trained once and split twice.

自编码器（autoencoder）有两部分：编码器把图片变成几个数，即编码；解码器再由编码重建图片。
An autoencoder has two parts: the encoder turns an image into a few numbers, the code; the decoder
turns the code into an image again. 784 -> 128 -> 64 -> 32 -> 64 -> 128 -> 784 (relu; last sigmoid).

运行 · Run it: python deep_autoencoder.py (--help: 选项 · options)
"""

# %% 准备 · imports and options
import common  # 三个脚本共用的函数，要在 Keras 之前导入 · what the scripts share, before Keras

import argparse
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adadelta, Adam

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--encoding-dim", type=int, default=32, help="编码维数 · code (%(default)s)")
# 其余的选项在 common.py 中 · The other options are in common.py.
args = common.parse_options(parser, epochs=50, batch_size=256)

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络，在最窄处拆分 · build the network, and split it where it is narrowest
keras.utils.set_random_seed(args.seed)  # 决定初始权重和图片的顺序 · first weights, order of images
# 含输入层共 7 层，左右对称；最窄的一层输出编码，编码器到它为止，解码器从它之后开始。
# 7 layers with the input; the narrowest gives the code: there the encoder ends, the decoder begins.
encoding_dim = args.encoding_dim
input_img = Input(shape=(784,))
encoded = Dense(128, activation="relu")(input_img)
encoded = Dense(64, activation="relu")(encoded)
encoded = Dense(encoding_dim, activation="relu")(encoded)
decoded = Dense(64, activation="relu")(encoded)
decoded = Dense(128, activation="relu")(decoded)
# 像素值在 0 和 1 之间，sigmoid 的输出也是 · Pixels are from 0 to 1, as is what sigmoid gives.
decoded = Dense(784, activation="sigmoid")(decoded)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)

# %% 编译 · compile
# 当年 Adadelta 的学习率是 1.0；如今默认为 0.001，几乎学不到东西。
# The rate of Adadelta was 1.0 in the post's days; with today's, 0.001, next to nothing is learnt.
optimizers = {"adadelta": Adadelta(learning_rate=1.0), "adam": Adam(learning_rate=0.0015)}
# 不分大小写；不在字典中的，原样交给 Keras，例如在单元格中写的 args.optimizer = Adam(0.01)。
# Capital letters do not matter. What is not in the dictionary goes to Keras unchanged, such as an
# Adam(0.01) that is put into args.optimizer in a cell.
optimizer_name = str(args.optimizer).lower()
optimizer = optimizers.get(optimizer_name, args.optimizer)
autoencoder.compile(
    optimizer=optimizer,
    loss="binary_crossentropy",
    # 以下两行只为加快训练 · two lines for speed alone
    steps_per_execution=47,  # 每 47 步才回到 Python 一次 · 47 steps in a go
    jit_compile=common.choose_jit_compile(autoencoder, args.epochs),
)

# %% 训练 · train
folder = Path(args.models) / "deep"
if not args.load:
    print(args)
    folder.mkdir(parents=True, exist_ok=True)
    # 目标就是输入本身。50 轮（epoch）之后（约一分钟），测试集的损失 val_loss 约为 0.114。
    # The target is the input itself. After 50 epochs, in a minute, val_loss is about 0.114.
    autoencoder.fit(
        x_train,
        x_train,
        epochs=args.epochs,
        batch_size=args.batch_size,
        shuffle=True,
        validation_data=(x_test, x_test),
        callbacks=[common.StopOnCtrlC()],
    )

# %% 保存，画损失曲线 · save, and draw the losses by epoch
if not args.load:
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
    # 训练集和测试集的曲线应当一同下降 · Both curves should go down together.
    common.plot_history(autoencoder.history.history, folder / "history.png")

# %% 加载保存的网络 · load what was saved
loaded_autoencoder = common.load_model("autoencoder", folder)
loaded_encoder = common.load_model("encoder", folder)
loaded_decoder = common.load_model("decoder", folder)
loaded_autoencoder.summary()

# %% 编码和解码 · encode and decode
encoded_imgs = loaded_encoder.predict(x_test, verbose=0)
decoded_imgs = loaded_decoder.predict(encoded_imgs, verbose=0)
# 前 1000 张：加载的两部分重建的图片，应当与训练好的网络重建的相同。
# Of 1,000 digits the loaded parts should make the same images as the trained network.
if not args.load:
    difference = np.abs(autoencoder(x_test[:1000]) - decoded_imgs[:1000]).max()
    print(f"images of loaded parts and network differ by {difference:.1g} (rounding: below 0.0001)")

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 编码画成正方形：32 个数占 6 × 6 个位置中的 32 个，其余 4 个（黄色）没有值。
# A code is drawn as a square: of 6 x 6 places 32 have a number, the yellow ones none.
n = 10  # 画多少个数字 · how many digits to show
mse = np.mean((decoded_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    "code": encoded_imgs,
    f"reconstruction\nMSE {mse:.4f}": decoded_imgs,
}
common.plot_rows(rows, n, folder / "reconstructions.png", red_blue=["code"])

# %% 把分界前移一层（更靠近输入，64 维） · split one layer earlier, at 64 numbers
# 编码器去掉最后一层，这一层归入解码器；不用再训练，重建的图片不变。
# The encoder's last layer moves to the decoder. Nothing is trained again; the images stay the same.
split = -1  # 改成 -2，就移动两层 · with -2, two layers move
moved = loaded_encoder.layers[split:]
encoder2 = keras.Sequential(loaded_encoder.layers[:split])
# 先是移来的层，再是原来的解码器，它也可以当作一层 · the old decoder serves as one layer
decoder2 = keras.Sequential(moved + [loaded_decoder])
encoded_imgs2 = encoder2.predict(x_test, verbose=0)
decoded_imgs2 = decoder2.predict(encoded_imgs2, verbose=0)
difference2 = np.abs(decoded_imgs2 - decoded_imgs).max()
print(f"images of both splits differ by {difference2:.1g} (rounding: below 0.0001)")
rows = {
    "original": x_test,
    "code": encoded_imgs2,
    "reconstruction": decoded_imgs2,
}
common.plot_rows(rows, n, folder / "second_split.png", red_blue=["code"])

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# 训练 50 轮，网络的误差大于 PCA：Adadelta 学得慢。用 --optimizer adam，就比 PCA 小得多。
# After 50 epochs the network's error is larger than PCA's, as Adadelta is slow; with Adam it is far
# smaller.
pca_train, pca_codes, pca_imgs = common.pca(x_train, x_test, encoded_imgs[0].size)
pca_label = f"PCA {pca_codes.shape[1]}"
pca_mse = np.mean((pca_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    f"autoencoder\nMSE {mse:.4f}": decoded_imgs,
    f"{pca_label}\nMSE {pca_mse:.4f}": pca_imgs,
}
common.plot_rows(rows, n, folder / "pca.png")

# 第二次拆分的编码维数更多，PCA 也取同样多 · PCA with as many numbers as the second split
pca_train2, pca_codes2, pca_imgs2 = common.pca(x_train, x_test, encoded_imgs2[0].size)
pca_label2 = f"PCA {pca_codes2.shape[1]}"

# %% 画图：插值与随机编码 · draw what lies between two digits, and random codes
# 从 7 到 2：编码插值时形状逐渐变化，中间的并不完整；像素插值只是两图重叠。随机编码常常不成数字。
# From a 7 to a 2: between two codes the shape changes, and breaks half-way; between two images one
# only fades into the other. What is decoded from a random code often is no digit.
mixed_codes = []
mixed_pixels = []
for share in np.linspace(0, 1, n):  # 从 0 到 1 · from 0 to 1
    mixed_codes.append((1 - share) * encoded_imgs[0] + share * encoded_imgs[1])
    mixed_pixels.append((1 - share) * x_test[0] + share * x_test[1])
# 随机编码：每个数都从所有测试图片编码的同一位置（同一列）中随机选取，各数互不相关。
# A random code: each number is picked from its own column of all test codes, whatever the others.
rng = np.random.default_rng(args.seed)
random_codes = np.zeros((n, encoded_imgs.shape[1]))
for i in range(encoded_imgs.shape[1]):
    random_codes[:, i] = rng.choice(encoded_imgs[:, i], n)
rows = {
    "mixing codes": loaded_decoder.predict(np.array(mixed_codes), verbose=0),
    "mixing pixels": mixed_pixels,
    "random codes": loaded_decoder.predict(random_codes, verbose=0),
}
common.plot_rows(rows, n, folder / "interpolation.png")

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# 比较误差看 MSE；各列的含义见 print_table · To compare errors, take the MSE; print_table has the rest.
encoded_train = loaded_encoder.predict(x_train, verbose=0)
encoded_train2 = encoder2.predict(x_train, verbose=0)
methods = [
    (f"middle: {encoded_imgs[0].size}", encoded_train, encoded_imgs, decoded_imgs),
    (pca_label, pca_train, pca_codes, pca_imgs),
    (f"second split: {encoded_imgs2[0].size}", encoded_train2, encoded_imgs2, decoded_imgs2),
    (pca_label2, pca_train2, pca_codes2, pca_imgs2),
]
common.print_table(x_test, y_train, y_test, methods)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
