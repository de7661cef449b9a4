"""原文《最简单的单层编码解码机》 · The post's simplest autoencoder, of one hidden layer.

自编码器（autoencoder）有两部分：编码器把图片变成几个数，即编码；解码器再由编码重建图片。
An autoencoder has two parts: the encoder turns an image into a few numbers, the code; the decoder
turns the code into an image again. 784 -> 16 (relu, L1 penalty) -> 784 (sigmoid).

运行 · Run it: python simple_autoencoder.py (--help: 选项 · options)
"""

# %% 准备 · imports and options
import common  # 三个脚本共用的函数，要在 Keras 之前导入 · what the scripts share, before Keras

import argparse
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model, regularizers
from keras.layers import Dense
from keras.optimizers import Adadelta, Adam

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--encoding-dim", type=int, default=16, help="编码维数 · code (%(default)s)")
parser.add_argument("--l1", type=float, default=10e-5, help="惩罚系数 · penalty (%(default)s)")
# 其余的选项在 common.py 中 · The other options are in common.py.
args = common.parse_options(parser, epochs=50, batch_size=256)

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络 · build the network, and its two parts
keras.utils.set_random_seed(args.seed)  # 决定初始权重和图片的顺序 · first weights, order of images
encoding_dim = args.encoding_dim  # 16 个数，可看成 4 × 4 的图像 · 16: an image of 4 x 4
input_img = Input(shape=(784,))
# relu 把负数变成 0。L1 惩罚是 10e-5（即 0.0001）乘以编码各数之和，对一批图片取平均，加到损失上；它使各数
# 变小，更多的数为 0，即稀疏。原文说，没有惩罚，结果与主成分分析（PCA，见后）十分类似；不尽然：用 --l1 0
# --optimizer adam，误差小于 PCA。
# relu turns what is below 0 into 0. The L1 penalty adds 10e-5 (0.0001) times the sum of a code's
# numbers, the mean over a batch, to the loss: they get smaller, and more of them 0: sparse. The post
# says that without it the results are much like PCA's, which come below. Not quite: with --l1 0
# --optimizer adam the error is smaller than PCA's.
encoded = Dense(
    encoding_dim,
    activation="relu",
    activity_regularizer=regularizers.L1(args.l1),
)(input_img)
# 像素值在 0 和 1 之间，sigmoid 的输出也是 · Pixels are from 0 to 1, as is what sigmoid gives.
decoded = Dense(784, activation="sigmoid")(encoded)

# 编码器和解码器与整个网络共用各层：训练整个网络，就是训练它们。
# Encoder and decoder share the whole network's layers: training it trains them.
# 原文从 layers 中取出解码器的层；模型可以从任何一层开始 · A model can begin at any layer, as here.
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)

# %% 编译 · compile
# 原文写的是 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，几乎学不到东西。
# In the post's days the rate of 'adadelta' was 1.0. With today's, 0.001, next to nothing is learnt.
optimizers = {"adadelta": Adadelta(learning_rate=1.0), "adam": Adam(learning_rate=0.001)}
# 不分大小写；不在字典中的，原样交给 Keras，例如在单元格中写的 args.optimizer = Adam(0.01)。
# Capital letters do not matter. What is not in the dictionary goes to Keras unchanged, such as an
# Adam(0.01) that is put into args.optimizer in a cell.
optimizer_name = str(args.optimizer).lower()
optimizer = optimizers.get(optimizer_name, args.optimizer)
autoencoder.compile(
    optimizer=optimizer,
    # 每个像素看成一个概率，0（黑）到 1（白） · each pixel as a probability, from black to white
    loss="binary_crossentropy",
    # 以下两行只为加快训练 · two lines for speed alone
    steps_per_execution=47,  # 每 47 步才回到 Python 一次；默认一轮有 5 × 47 步 · 47 steps in a go
    jit_compile=common.choose_jit_compile(autoencoder, args.epochs),
)

# %% 训练 · train
folder = Path(args.models) / "simple"
if not args.load:
    print(args)
    folder.mkdir(parents=True, exist_ok=True)
    # 自监督学习：目标就是输入本身，不用标签。一轮（epoch）把训练图片各用一次；每一步（step）用一批
    # （batch）图片更新权重。50 轮之后（约半分钟），测试集的损失 val_loss 约为 0.145。
    # Self-supervised: the target is the input itself. An epoch uses each training image once; each
    # step changes the weights by a batch of images. After 50 epochs, in half a minute, val_loss,
    # the loss of the test digits, is about 0.145.
    autoencoder.fit(
        x_train,
        x_train,
        epochs=args.epochs,
        batch_size=args.batch_size,
        shuffle=True,
        validation_data=(x_test, x_test),  # 只用来观察，不更新权重 · only watched, not learnt
        callbacks=[common.StopOnCtrlC()],
    )

# %% 保存，画损失曲线 · save, and draw the losses by epoch
if not args.load:
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
    # 训练集和测试集的曲线应当一同下降；两者都包含惩罚项。
    # The curves of training and test digits should go down together; both include the penalty.
    common.plot_history(autoencoder.history.history, folder / "history.png")

# %% 加载保存的网络 · load what was saved
loaded_autoencoder = common.load_model("autoencoder", folder)
loaded_encoder = common.load_model("encoder", folder)
loaded_decoder = common.load_model("decoder", folder)
# 加载的三个网络各有自己的权重，不再共用 · Each has weights of its own; they share no layers.
loaded_autoencoder.summary()

# %% 编码和解码 · encode and decode
encoded_imgs = loaded_encoder.predict(x_test, verbose=0)
decoded_imgs = loaded_decoder.predict(encoded_imgs, verbose=0)
# 前 1000 张：加载的两部分重建的图片，应当与训练好的网络重建的相同。
# Of 1,000 digits the loaded parts should make the same images as the trained network.
if not args.load:
    difference = np.abs(autoencoder(x_test[:1000]) - decoded_imgs[:1000]).max()
    print(f"images of loaded parts and network differ by {difference:.1g} (rounding: below 0.0001)")

# %% 编码稀疏吗 · are the codes sparse?
# 网络可以像函数一样调用；调用之后，losses 中是这些图片的惩罚项（平均）。交叉熵加惩罚项，就是 val_loss。
# A network can be called like a function. The call puts the penalty, the mean over these images,
# into losses. Cross-entropy plus penalty is val_loss.
loaded_autoencoder(x_test)
penalty = float(sum(loaded_autoencoder.losses))
zeros = np.mean(encoded_imgs == 0)
print(f"zeros in the codes: {zeros:.1%}, penalty: {penalty:.4f}")

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 重建的图片中应当大多仍能认出原来的数字。编码中的 0 为白色，最大的值为深红色。
# A reconstruction should show the same digit. In a code 0 is white, the largest value dark red.
n = 12  # 画多少个数字 · how many digits to show
mse = np.mean((decoded_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    "code": encoded_imgs,
    f"reconstruction\nMSE {mse:.4f}": decoded_imgs,
}
common.plot_rows(rows, n, folder / "reconstructions.png", red_blue=["code"])

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# PCA 不用神经网络，把图片线性地变成同样维数的编码，再线性地重建。
# PCA needs no network: it makes codes of the same size, and images of these, linearly.
# 训练 50 轮，网络的误差与 PCA 相近，因种子而略大或略小；用 --optimizer adam 则明显更小。
# After 50 epochs the network's error is close to PCA's, above or below it; with Adam, well below.
pca_train, pca_codes, pca_imgs = common.pca(x_train, x_test, encoded_imgs[0].size)
pca_label = f"PCA {pca_codes.shape[1]}"
pca_mse = np.mean((pca_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    f"autoencoder\nMSE {mse:.4f}": decoded_imgs,
    f"{pca_label}\nMSE {pca_mse:.4f}": pca_imgs,
}
common.plot_rows(rows, n, folder / "pca.png")

# %% 画图：编码的每一维对图像的作用 · draw what each number of the code does to the image
# 让一维从小（5% 分位数）变到大（95% 分位数），其余各维取平均值。全白：几乎不起作用，多半总是 0。
# One number goes from small, its 5 % quantile, to large, its 95 % quantile; the others stay at
# their means. All white: it does next to nothing in this range, as it is nearly always 0.
mean_code = encoded_imgs.mean(axis=0)
small = np.quantile(encoded_imgs, 0.05, axis=0)
large = np.quantile(encoded_imgs, 0.95, axis=0)
drawn = min(16, len(mean_code))
small_codes = np.array([mean_code] * drawn)  # 先都是平均编码 · at first, each is the mean code
large_codes = np.array([mean_code] * drawn)
for i in range(drawn):  # 第 i 个编码改第 i 个数 · in the i-th code the i-th number changes
    small_codes[i, i] = small[i]
    large_codes[i, i] = large[i]
small_imgs = loaded_decoder.predict(small_codes, verbose=0)
large_imgs = loaded_decoder.predict(large_codes, verbose=0)
rows = {"red: brighter\nblue: darker": large_imgs - small_imgs}
common.plot_rows(rows, drawn, folder / "each_number.png", red_blue=list(rows))

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# 比较误差看 MSE。PSNR 由它换算而来，越大越好 · To compare errors, take the MSE; PSNR is the same in dB.
# PCA 的交叉熵大：它的一些像素裁剪成了 0 或 1，即“肯定是黑（白）的”；肯定却错了，交叉熵就很大。
# PCA's cross-entropy is large: some of its pixels, clipped, are just 0 or 1, which says that they
# are black or white for sure. Where that is wrong, cross-entropy is large.
# 1-NN：编码最近的训练图片，标签也相同的比例。lower bound：完全相同的图片的交叉熵。
# 1-NN: how often the training digit of the nearest code has the same label. Lower bound: the
# cross-entropy of a perfect copy.
encoded_train = loaded_encoder.predict(x_train, verbose=0)
methods = [
    ("autoencoder", encoded_train, encoded_imgs, decoded_imgs),
    (pca_label, pca_train, pca_codes, pca_imgs),
]
common.print_table(x_test, y_train, y_test, methods)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
