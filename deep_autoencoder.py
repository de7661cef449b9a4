"""《多层的编码解码机》: the post's deep autoencoder (自编码器), trained once and split twice.

784 -> 128 -> 64 -> 32 -> 64 -> 128 -> 784 (relu; the last one sigmoid)
"""

# %% 准备 · imports and options
import common  # 三个脚本共用的函数，要在 Keras 之前导入 · what the scripts share, before Keras

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from sklearn.decomposition import PCA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=50, help="训练轮数 · epochs (%(default)s)")
parser.add_argument("--batch-size", type=int, default=256, help="批量大小 · batch (%(default)s)")
parser.add_argument("--encoding-dim", type=int, default=32, help="维数 · code size (%(default)s)")
args = common.start(parser)  # 加上共用的选项并读取 · add the shared options, and read all

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
# 标签 y 只用于最后的表格和散点图 · The labels, y, are for the table and the scatter plot only.
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络，在最窄处拆分 · build the network, and split it where it is narrowest
# 设置随机种子：在同一个 CPU 上，用同样的版本，种子相同，初始权重和结果就相同（GPU 上不一定）。
# Set the seed of random numbers: on the same CPU, with the same versions, the same seed gives the
# same first weights and results. On a GPU they may differ.
common.set_seed(args.seed)

# 共 7 层，从输入层（第 0 层）到输出层（第 6 层），左右对称；最窄的第 3 层输出编码：
# 到它为止是编码器，其后是解码器。
# 7 layers, from the input, layer 0, to the output, layer 6. Layer 3, the narrowest one, gives
# the code: the encoder ends with it, and the decoder begins after it.
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
# 原文写的是 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，几乎学不到东西。
# In the post's days the learning rate of 'adadelta' was 1.0. With today's default, 0.001, next to
# nothing is learnt.
# Adam 的学习率 0.0015：用前 50000 张训练图片训练 50 轮，在其余 10000 张上比较，三个种子的损失都比
# 用 Keras 默认的 0.001 时小。
# Adam's 0.0015: after 50 epochs on the first 50,000 training digits, the loss of the other 10,000
# was smaller than with Keras's 0.001, from each of three seeds.
rates = {"adadelta": 1.0, "adam": 0.0015}
autoencoder.compile(
    optimizer=common.get_optimizer(args.optimizer, rates),
    loss="binary_crossentropy",
    # 只为加快训练 · for speed alone
    **common.speed_settings(autoencoder, len(x_train), args.batch_size, args.epochs),
)

# %% 训练、保存 · train and save
folder = Path(args.models) / "deep"
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
    # 目标就是输入本身。50 轮之后，val_loss 约为 0.114。
    # The target is the input itself. After 50 epochs val_loss is about 0.114.
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

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 从重建的图片中应当仍能认出原来的数字。编码画成正方形：32 维的编码占 6 × 6 个位置中的 32 个，
# 其余 4 个留空；画出的编码中，最大的值显示为白色。
# A reconstruction should show the same digit. A code is drawn as a square: of 6 x 6 places, a
# code of 32 leaves 4 empty, which are not drawn. The largest value of the codes that are
# drawn is white.
n = 10  # how many digits to show
rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=["code"])

# %% 把分界前移一层（更靠近输入，64 维） · split one layer earlier, at 64 numbers
# 编码改取编码器倒数第二层的输出，编码器的最后一层归入解码器。不用再训练，重建的图片不变
# （见表格）。
# The code is now the output of the encoder's second last layer; the last layer moves over to the
# decoder. Nothing is trained again, and the reconstructions stay the same (see the table).
# 为此再加载一份编码器，它的各层只属于它自己：与整个网络共用的层，其 output 属于整个网络，
# 不能作为编码器的拆分点。
# The encoder is loaded once more for that, with layers of its own: a layer that is shared with the
# whole network has its output there, where the encoder cannot be split.
encoder_copy = common.load_model("encoder", folder)
encoded2 = encoder_copy.layers[-2].output
encoder2 = Model(encoder_copy.input, encoded2)
decoder2 = Model(encoded2, decoder(encoder_copy.output))
encoded_imgs2 = encoder2.predict(x_test, batch_size=1000, verbose=0)
decoded_imgs2 = decoder2.predict(encoded_imgs2, batch_size=1000, verbose=0)
rows = {"original": x_test, "code": encoded_imgs2, "reconstruction": decoded_imgs2}
common.plot_rows(rows, n, folder / "second_split.png", scaled=["code"])

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片线性地压缩成同样维数的编码，再线性地重建。
# 训练 50 轮之后，网络的误差与 PCA 相近；用 Adam（--optimizer adam）则明显更小。
# PCA needs no network. It turns an image into a code of the same size as the network's, and
# back, linearly.
# After 50 epochs the network's error is about PCA's, and with --optimizer adam clearly smaller.
size = encoded_imgs[0].size
components = min(size, x_train.shape[1], len(x_train))  # no more than pixels or digits
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(x_train)
pca_codes = pca.transform(x_test)
pca_imgs = pca.inverse_transform(pca_codes)
rows = {"original": x_test, "autoencoder": decoded_imgs, f"PCA {components}": pca_imgs}
common.plot_rows(rows, n, folder / "pca.png")

# 分界前移之后的编码维数更多，PCA 也取同样多 · PCA with as many numbers as the second split
size2 = encoded_imgs2[0].size
components2 = min(size2, x_train.shape[1], len(x_train))
pca2 = PCA(components2, svd_solver="covariance_eigh")
pca2.fit(x_train)
pca_codes2 = pca2.transform(x_test)
pca_imgs2 = pca2.inverse_transform(pca_codes2)

# %% 画图：插值与随机编码 · draw what lies between two digits, and random codes
# 编码插值时形状逐渐变化，像素插值只是两图重叠。
# 随机编码的每一维各取自一张随机的图片：由它解码出的图片多半不像数字。
# Between two codes the shape changes; between two images one only fades into the other. In a
# random code each number comes from the code of another random digit. What is decoded from it
# seldom looks like a digit.
first_code = encoded_imgs[0]
second_code = encoded_imgs[1]
mixed_codes = np.linspace(first_code, second_code, n)
# 打乱每一列：每个位置上的数都取自真实的编码，但一个编码里的各个数来自不同的图片。
# Shuffle each column: every number is from the same place of a real code, but the numbers
# of one random code are from different digits.
shuffled_codes = np.random.default_rng(args.seed).permuted(encoded_imgs, axis=0)
random_codes = shuffled_codes[:n]
rows = {
    "mixing codes": decoder.predict(mixed_codes, verbose=0),
    "mixing pixels": np.linspace(x_test[0], x_test[1], n),
    "random codes": decoder.predict(random_codes, verbose=0),
}
common.plot_rows(rows, n, folder / "interpolation.png")

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
# 训练集和测试集的损失曲线应当一同下降。
# 两条虚线是测试集上的损失：PCA 的（偏高，原因见“表格”），以及下界，即图片与自身的交叉熵
# （灰色像素使它大于 0）。
# The curves of training and test digits should go down together. The dashed lines are
# losses of the test digits: PCA's (large, see the table), and the lower bound, which perfect
# images would have; it is above 0, as some pixels are grey.
if not args.load:
    images = {f"PCA {components}": pca_imgs, "lower bound": x_test}
    loss = history.model.loss  # the one that the network was compiled with
    common.plot_history(history.history, loss, x_test, images, folder / "history.png")
    # 如果你加了正则项，这里打印 val_loss 的两部分：损失和惩罚项。
    # If you add a regularizer, this prints the two parts of val_loss.
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
accuracy2 = common.nearest_neighbour_accuracy(
    encoder2.predict(x_train, batch_size=1000, verbose=0), y_train, encoded_imgs2, y_test
)
pca_accuracy2 = common.nearest_neighbour_accuracy(
    pca2.transform(x_train), y_train, pca_codes2, y_test
)
rows = [
    (f"middle: {size}", encoded_imgs, decoded_imgs, accuracy),
    (f"PCA {components}", pca_codes, pca_imgs, pca_accuracy),
    (f"layer before: {size2}", encoded_imgs2, decoded_imgs2, accuracy2),
    (f"PCA {components2}", pca_codes2, pca_imgs2, pca_accuracy2),
]
common.print_table(x_test, rows)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
