"""《卷积神经网络的autoencoder》: the post's convolutional autoencoder (自编码器).

(28, 28, 1) -> 6 layers -> a code of (4, 4, 8) -> 7 layers -> (28, 28, 1)
"""

# %% 准备 · imports and options
import common  # 三个脚本共用的函数，要在 Keras 之前导入 · what the scripts share, before Keras

import argparse
import time
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.callbacks import TensorBoard
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D
from sklearn.decomposition import PCA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=1, help="训练轮数 · epochs (%(default)s)")
parser.add_argument("--batch-size", type=int, default=128, help="批量大小 · batch (%(default)s)")
args = common.start(parser)  # 加上共用的选项并读取 · add the shared options, and read all

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
# 标签 y 只用于最后的表格 · The labels, y, are for the table only.
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 28, 28, 1)
x_test = x_test.reshape(len(x_test), 28, 28, 1)
print(x_train.shape, x_test.shape)

# %% 建立网络 · build the network, and its two parts
# 设置随机种子：在同一个 CPU 上，用同样的版本，种子相同，初始权重和结果就相同（GPU 上不一定）。
# Set the seed of random numbers: on the same CPU, with the same versions, the same seed gives the
# same first weights and results. On a GPU they may differ.
common.set_seed(args.seed)

# 包括输入层在内共 14 层；卷积核为 3 × 3，池化取每个 2 × 2 区域的最大值，上采样把每个值重复成 2 × 2。
# padding="same"：卷积后大小不变；池化时 7 先补成 8，所以 28 → 14 → 7 → 4。
# 14 layers with the input. Convolutions have kernels of 3 x 3, and with padding="same" keep the
# size; pooling takes the largest of 2 x 2 values, and pads 7 to 8: 28, 14, 7, 4; up-sampling
# makes 2 x 2 of each value.
input_img = Input(shape=(28, 28, 1))
x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
# 编码是 8 个 4 × 4 的特征图，共 128 维。
# The code is 8 feature maps of 4 x 4, 128 numbers.
encoded = MaxPooling2D((2, 2), padding="same")(x)

x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = UpSampling2D((2, 2))(x)
# 只有这个卷积层不填充：16 × 16 变成 14 × 14，再上采样就是 28 × 28。
# The only convolution without padding: 16 x 16 becomes 14 x 14, and then 28 x 28.
x = Conv2D(16, (3, 3), activation="relu")(x)
x = UpSampling2D((2, 2))(x)
# 像素值在 0 和 1 之间，sigmoid 的输出也是 · Pixels are from 0 to 1, as is what sigmoid gives.
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)

# %% 编译 · compile
# 原文写的是 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，几乎学不到东西。
# In the post's days the learning rate of 'adadelta' was 1.0. With today's default, 0.001, next to
# nothing is learnt.
# Adam 的学习率 0.005：用前 50000 张训练图片训练 1 轮，在其余 10000 张上比较，三个种子的损失都比
# 用 Keras 默认的 0.001 时小。
# Adam's 0.005: after 1 epoch on the first 50,000 training digits, the loss of the other 10,000
# was smaller than with Keras's 0.001, from each of three seeds.
rates = {"adadelta": 1.0, "adam": 0.005}
autoencoder.compile(
    optimizer=common.get_optimizer(args.optimizer, rates),
    loss="binary_crossentropy",
    # 只为加快训练 · for speed alone
    **common.speed_settings(autoencoder, len(x_train), args.batch_size, args.epochs),
)

# %% 训练、保存 · train and save
folder = Path(args.models) / "conv"
if args.load:
    # 不训练，用上次保存的网络 · Nothing is trained: this is the network that was saved last.
    autoencoder = common.load_model("autoencoder", folder)
else:
    # 训练之前，检查网络能否保存和加载，编码器和解码器是否是它的一部分。
    # Before the training: can the network be saved and loaded, and are encoder and decoder parts
    # of it?
    common.check_before_training(autoencoder, encoder, decoder, folder)
    callbacks = []
    if keras.config.backend() == "tensorflow":
        # TensorBoard 日志，只有后端为 TensorFlow 时才能写；怎样查看，见 models/README.md。
        # Logs, which only TensorFlow can write; models/README.md says how to look at them.
        callbacks.append(TensorBoard(log_dir=folder / "logs" / time.strftime("%Y%m%d-%H%M%S")))
    # 目标就是输入本身。1 轮之后，val_loss 约为 0.17。
    # The target is the input itself. After 1 epoch val_loss is about 0.17.
    with common.ctrl_c_stops(autoencoder):  # 按 Ctrl-C 提前结束 · Ctrl-C ends it early
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            callbacks=callbacks,
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
# 一轮训练之后，重建的图片模糊，但大多认得出；训练更多轮会更好。
# 编码的 8 个特征图排成 3 × 3，最后一个位置空着。画出的编码中，最大的值显示为白色。
# After one epoch the images are blurred, but most digits can be recognised; more epochs help.
# A code's 8 feature maps stand in 3 rows of 3, and the last place is empty. The largest value
# of the codes that are drawn is white.
n = 10  # how many digits to show
rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=["code"])

# %% 画图：网络的结构 · draw the network
# 从上到下是各层，以及每层输入和输出的形状。
# From top to bottom the layers, with the shapes of what goes in and comes out.
common.plot_model(autoencoder, folder / "model.png")

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片线性地压缩成同样维数的编码，再线性地重建。
# 训练一轮之后，网络重建的图片比 PCA 的模糊。
# PCA needs no network. It turns an image into a code of the same size as the network's, and
# back, linearly.
# After one epoch the network's images are more blurred than PCA's.
flat_train = x_train.reshape(len(x_train), -1)
flat_test = x_test.reshape(len(x_test), -1)
size = encoded_imgs[0].size
components = min(size, flat_train.shape[1], len(x_train))  # no more than pixels or digits
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(flat_train)
pca_codes = pca.transform(flat_test)
pca_imgs = pca.inverse_transform(pca_codes)
rows = {"original": x_test, "autoencoder": decoded_imgs, f"PCA {components}": pca_imgs}
common.plot_rows(rows, n, folder / "pca.png")

# %% 画图：一张图片经过各层 · draw a digit on its way through all layers
# 每行是一层的特征图，最多 10 个，画成同样大小，每行的最大值显示为白色。
# 越靠近编码，特征图的像素越少，之后又逐步变回图片；全黑的特征图对这张图片没有响应。
# Each row has a layer's feature maps, 10 at most, all drawn in the same size; the largest
# value of a row is white. Down to the code they have fewer pixels, and after it they become
# an image again. A map that is all black does not react to this digit.
# 如果你把网络写成 decoder(encoder(input_img))，各层在两个子网络里面，就不画。
# If you write the network as decoder(encoder(input_img)), its layers are in two networks
# within it, and are not drawn.
if any(isinstance(layer, Model) for layer in autoencoder.layers):
    print("Not drawn: layers.png, as the network has another network among its layers")
else:
    layer_outputs = [layer.output for layer in autoencoder.layers]
    all_layers = Model(autoencoder.input, layer_outputs)
    all_values = all_layers.predict(x_test[:1], verbose=0)
    rows = {}
    for layer, values in zip(autoencoder.layers, all_values, strict=True):
        maps = values[0]  # values has an axis for the digits, of which there is one
        images = values
        if maps.ndim == 3:
            images = np.moveaxis(maps, 2, 0)  # (height, width, k) becomes (k, height, width)
        rows[f"{layer.name}\n{maps.shape}"] = images
    common.plot_rows(rows, n, folder / "layers.png", scaled=list(rows))

# %% 画图：损失曲线 · draw the losses by epoch
# 只训练一轮时每条曲线只有一个点。
# 两条虚线是测试集上的损失：PCA 的（偏高，原因见“表格”），以及下界，即图片与自身的交叉熵
# （灰色像素使它大于 0）。
# After one epoch each curve is a single point. The dashed lines are losses of the test
# digits: PCA's (large, see the table), and the lower bound, which perfect images would have; it is
# above 0, as some pixels are grey.
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
pca_accuracy = common.nearest_neighbour_accuracy(
    pca.transform(flat_train), y_train, pca_codes, y_test
)
rows = [
    ("autoencoder", encoded_imgs, decoded_imgs, accuracy),
    (f"PCA {components}", pca_codes, pca_imgs, pca_accuracy),
]
common.print_table(x_test, rows)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
