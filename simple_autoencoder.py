"""《最简单的单层编码解码机》: the post's simplest autoencoder (自编码器), of one hidden layer.

784 -> 16 (relu, with an L1 penalty on the code) -> 784 (sigmoid)
"""

# %% 准备 · imports and options
import common  # 三个脚本共用的函数，要在 Keras 之前导入 · what the scripts share, before Keras

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model, regularizers
from keras.layers import Dense
from sklearn.decomposition import PCA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=50, help="训练轮数 · epochs (%(default)s)")
parser.add_argument("--batch-size", type=int, default=256, help="批量大小 · batch (%(default)s)")
parser.add_argument("--encoding-dim", type=int, default=16, help="维数 · code size (%(default)s)")
parser.add_argument("--l1", type=float, default=10e-5, help="惩罚系数 · penalty (%(default)s)")
args = common.start(parser)  # 加上共用的选项并读取 · add the shared options, and read all

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
# 标签 y 只用于最后的表格和散点图 · The labels, y, are for the table and the scatter plot only.
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络 · build the network, and its two parts
# 设置随机种子：在同一个 CPU 上，用同样的版本，种子相同，初始权重和结果就相同（GPU 上不一定）。
# Set the seed of random numbers: on the same CPU, with the same versions, the same seed gives the
# same first weights and results. On a GPU they may differ.
common.set_seed(args.seed)

# 784 个像素压缩成 16 个数，可以看成 4 × 4 的图像。
# 784 pixels become 16 numbers, which can be seen as an image of 4 x 4.
encoding_dim = args.encoding_dim
input_img = Input(shape=(784,))
# 稀疏约束：L1 惩罚使编码的值变小，并使更多的值为 0。原文说，没有它，结果与 PCA 十分类似。
# 可以用 --l1 0 试试。
# The L1 penalty makes a code's numbers smaller, and more of them 0. The post says that
# without it the results are much like PCA's: try --l1 0.
sparse = regularizers.L1(args.l1)
encoded = Dense(encoding_dim, activation="relu", activity_regularizer=sparse)(input_img)
# 像素值在 0 和 1 之间，sigmoid 的输出也是；“编译”中的损失函数（二元交叉熵）比较的正是这样的值。
# Pixels are between 0 and 1, and so is what sigmoid gives. Binary cross-entropy, the loss
# below, compares such values.
decoded = Dense(784, activation="sigmoid")(encoded)

# 编码器和解码器各是整个网络的一部分，与它共用权重：训练整个网络，也就训练了它们。
# 原文从 autoencoder.layers 中取出解码器的层，这里直接写从 encoded 到 decoded，结果相同。
# Encoder and decoder are each a part of the whole network and share its weights: training
# the whole trains them too. The post takes the decoder's layers from autoencoder.layers;
# naming where it begins and ends does the same.
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)

# %% 编译 · compile
# 原文写的是 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，几乎学不到东西。
# In the post's days the learning rate of 'adadelta' was 1.0. With today's default, 0.001, next to
# nothing is learnt.
rates = {"adadelta": 1.0}
autoencoder.compile(
    optimizer=common.get_optimizer(args.optimizer, rates),
    loss="binary_crossentropy",
    # 只为加快训练 · for speed alone
    **common.speed_settings(autoencoder, len(x_train), args.batch_size, args.epochs),
)

# %% 训练、保存 · train and save
folder = Path(args.models) / "simple"
if args.load:
    # 不训练，用上次保存的网络（网络的选项，如编码维数，不起作用）。
    # Nothing is trained: this is the network that was saved last. The options of this run that
    # concern the network, such as --encoding-dim, have no effect.
    autoencoder = common.load_model("autoencoder", folder)
else:
    # 训练之前，检查网络能否保存和加载，编码器和解码器是否是它的一部分。
    # Before the training: can the network be saved and loaded, and are encoder and decoder parts
    # of it?
    common.check_before_training(autoencoder, encoder, decoder, folder)
    # 自监督学习：目标就是输入本身，不用标签。50 轮之后，val_loss（测试集的损失）约为 0.145。
    # Self-supervised learning: the target is the input itself; no label is used. After 50
    # epochs val_loss, the loss of the test digits, is about 0.145.
    with common.ctrl_c_stops(autoencoder):  # 按 Ctrl-C 提前结束 · Ctrl-C ends it early
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
        )
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
# 留作对照：加载之后再比较 · to compare with, after the loading
trained_imgs = autoencoder.predict(x_test[:1000], batch_size=1000, verbose=0)

# %% 加载保存的网络 · load what was saved
# 原文加载的三个网络各有自己的权重。share_layers_with 使编码器和解码器与整个网络共用各层，
# 这样加载之后还可以接着训练：在 Spyder 或 Jupyter 里，从“编译”单元格起重新运行
# （如果设过 args.load = True，先改回 False）。优化器从头开始，权重接着训练。
# In the post, the three loaded networks have weights of their own. Here, by share_layers_with,
# encoder and decoder have their layers in common with the whole network, so that it can be
# trained further: in Spyder or Jupyter, run the cells from "compile" on once more (set args.load
# back to False if you changed it). The optimizer begins anew, the weights go on.
autoencoder = common.load_model("autoencoder", folder)
encoder = common.load_model("encoder", folder, share_layers_with=autoencoder)
decoder = common.load_model("decoder", folder, share_layers_with=autoencoder)
autoencoder.summary()

# %% 编码和解码 · encode and decode
encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)
# 结构和权重都回来了吗？把前 1000 张重建的图片与上面留作对照的相比。
# Are layers and weights back? The first 1,000 reconstructions are compared with those that
# were kept above.
common.print_difference(decoded_imgs[:1000], trained_imgs)
# 编码稀疏吗？打印编码中 0 所占的比例，可以与 --l1 0 比较。
# Are the codes sparse? This is the share of zeros in them; compare it with --l1 0.
print(f"zeros in the codes: {np.mean(encoded_imgs == 0):.1%}")

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 从重建的图片中应当仍能认出原来的数字。画出的编码中，最大的值显示为白色。
# A reconstruction should show the same digit. The largest value of the codes that are
# drawn is white.
n = 12  # how many digits to show
rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=["code"])

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片线性地压缩成同样维数的编码，再线性地重建。
# 训练 50 轮之后，网络的误差与 PCA 的相近（因种子而异）；用 Adam（--optimizer adam）则明显更小。
# PCA needs no network. It turns an image into a code of the same size as the network's, and
# back, linearly.
# After 50 epochs the network's error is close to PCA's, and depends on the seed; with
# --optimizer adam it is clearly smaller.
size = encoded_imgs[0].size
components = min(size, x_train.shape[1], len(x_train))  # no more than pixels or digits
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(x_train)
pca_codes = pca.transform(x_test)
pca_imgs = pca.inverse_transform(pca_codes)
rows = {"original": x_test, "autoencoder": decoded_imgs, f"PCA {components}": pca_imgs}
common.plot_rows(rows, n, folder / "pca.png")


# %% 画图：编码的每一维对图像的作用 · draw what each number of the code does to the image
# 其余各维取平均值，只让一维从小（5% 分位数）变大（95% 分位数）：红色处变亮，蓝色处变暗，
# 白色处不变。只画前 16 维。如果某幅图全白，说明这一维作用很弱，或者对（几乎）所有图片都是 0。
# All numbers of a code but one stay at their means; that one goes from small, its 5 % quantile,
# to large, its 95 % quantile. Red pixels become brighter, blue ones darker, white ones stay. The
# first 16 numbers are drawn. If an image is all white, its number does little, or is 0 for (nearly)
# all digits.
def change_each_number(codes, quantile):
    """Return copies of the mean code; in copy i, number i alone is replaced by its quantile."""
    flat_codes = codes.reshape(len(codes), -1)
    count = min(16, flat_codes.shape[1])
    changed = np.tile(flat_codes.mean(axis=0), (count, 1))
    for i in range(count):
        changed[i, i] = np.quantile(flat_codes[:, i], quantile)
    return changed.reshape((count,) + codes.shape[1:])


small = change_each_number(encoded_imgs, 0.05)
large = change_each_number(encoded_imgs, 0.95)
effects = decoder.predict(large, verbose=0) - decoder.predict(small, verbose=0)
pca_small = pca.inverse_transform(change_each_number(pca_codes, 0.05))
pca_large = pca.inverse_transform(change_each_number(pca_codes, 0.95))
rows = {"autoencoder": effects, f"PCA {components}": pca_large - pca_small}
common.plot_rows(rows, 16, folder / "each_number.png", scaled=list(rows))

# %% 画图：二维编码的散点图 · draw a scatter plot of codes of two numbers (--encoding-dim 2)
# 横轴和纵轴是编码的两维在所有测试图片中的排名；相等的值（例如许多 0）名次随机。
# 同一个数字的点若聚在一起，编码就能区分它。
# 下图在同样的坐标上均匀取点，换算成编码，再解码成图片；没有数据点的地方也有图片。
# The axes are the ranks of a code's two numbers among those of all test digits; equal numbers,
# such as many 0, are ranked at random. Where the points of a digit lie together, the code tells
# it apart. Below, points are taken at equal steps on the same axes, turned into codes, and
# decoded; so there are images of places where no digit lies, too.
if encoded_imgs.shape[1:] == (2,):
    codes = {"autoencoder": encoded_imgs, "PCA": pca_codes}
    grid_imgs = {
        "autoencoder": decoder.predict(common.map_grid(encoded_imgs), verbose=0),
        "PCA": pca.inverse_transform(common.map_grid(pca_codes)),
    }
    common.plot_maps(codes, grid_imgs, y_test, folder / "map.png")

# %% 画图：损失曲线 · draw the losses by epoch
# 训练集和测试集的损失曲线应当一同下降（损失中包含惩罚项）。
# 两条虚线是测试集上的损失，不含惩罚项：PCA 的（偏高，原因见“表格”），以及下界，即图片与自身的
# 交叉熵（灰色像素使它大于 0）。
# The curves of training and test digits should go down together; they include the penalty.
# The dashed lines are losses of the test digits, without the penalty: PCA's (large, see the
# table), and the lower bound, which perfect images would have; it is above 0, as some pixels are
# grey.
if not args.load:
    images = {f"PCA {components}": pca_imgs, "lower bound": x_test}
    loss = history.model.loss  # the one that the network was compiled with
    common.plot_history(history.history, loss, x_test, images, folder / "history.png")
    # 训练时打印的 val_loss 是测试图片的交叉熵（表格中也有）与惩罚项之和。
    # val_loss, as the training printed it, is the sum of the test digits' cross-entropy, which is
    # in the table too, and the penalty.
    common.print_loss_and_penalty(history.model, x_test, decoded_imgs)

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# PCA 的交叉熵较大，是因为它重建的值会超出 0 到 1；应当比较 MSE（线性的编码中，PCA 的最小）。
# 最近邻（1-NN）准确率：对每张测试图片，找出编码最接近的训练图片，统计两者标签相同的比例。
# PCA's cross-entropy is large because some of its values are not between 0 and 1. Compare the
# MSE, which is what PCA makes as small as a linear code can.
# A test digit counts as right in the 1-NN accuracy if the training digit of the nearest code
# has the same label.
accuracy = common.nearest_neighbour_accuracy(
    encoder.predict(x_train, batch_size=1000, verbose=0), y_train, encoded_imgs, y_test
)
pca_accuracy = common.nearest_neighbour_accuracy(pca.transform(x_train), y_train, pca_codes, y_test)
rows = [
    ("autoencoder", encoded_imgs, decoded_imgs, accuracy),
    (f"PCA {components}", pca_codes, pca_imgs, pca_accuracy),
]
common.print_table(x_test, rows)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
