"""原文《卷积神经网络的autoencoder》 · The post's convolutional autoencoder.

自编码器（autoencoder）有两部分：编码器把图片变成几个数，即编码；解码器再由编码重建图片。
An autoencoder has two parts: the encoder turns an image into a few numbers, the code; the decoder
turns the code into an image again. (28, 28, 1) -> 6 layers -> (4, 4, 8) -> 7 layers -> (28, 28, 1).

运行 · Run it: python conv_autoencoder.py (--help: 选项 · options)
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
from keras.layers import Conv2D, InputLayer, MaxPooling2D, UpSampling2D
from keras.optimizers import Adadelta, Adam

parser = argparse.ArgumentParser(description=__doc__)
# 其余的选项在 common.py 中 · The other options are in common.py.
args = common.parse_options(parser, epochs=1, batch_size=128)

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 28, 28, 1)
x_test = x_test.reshape(len(x_test), 28, 28, 1)
print(x_train.shape, x_test.shape)

# %% 建立网络 · build the network, and its two parts
keras.utils.set_random_seed(args.seed)  # 决定初始权重和图片的顺序 · first weights, order of images
# 卷积核为 3 × 3，padding="same" 使大小不变；池化取每个 2 × 2 区域的最大值：28 → 14 → 7 → 4（7 补成 8）。
# Convolutions, of 3 x 3, keep the size with padding="same"; pooling takes the largest of 2 x 2
# values: 28, 14, 7, 4. The 7 is padded to 8.
input_img = Input(shape=(28, 28, 1))
x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
# 编码是 8 个 4 × 4 的特征图，共 128 维 · The code is 8 feature maps of 4 x 4, 128 numbers.
encoded = MaxPooling2D((2, 2), padding="same")(x)

# 上采样把每个值重复成 2 × 2 · Up-sampling makes 2 x 2 of each value.
x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = UpSampling2D((2, 2))(x)
# 只有这一层不填充：16 → 14，再上采样就是 28 · The only one without padding: 16, 14, and then 28.
x = Conv2D(16, (3, 3), activation="relu")(x)
x = UpSampling2D((2, 2))(x)
# 像素值在 0 和 1 之间，sigmoid 的输出也是 · Pixels are from 0 to 1, as is what sigmoid gives.
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)

# %% 编译 · compile
# 当年 Adadelta 的学习率是 1.0；如今默认为 0.001，几乎学不到东西。
# The rate of Adadelta was 1.0 in the post's days; with today's, 0.001, next to nothing is learnt.
optimizers = {"adadelta": Adadelta(learning_rate=1.0), "adam": Adam(learning_rate=0.005)}
# 不分大小写；不在字典中的，原样交给 Keras，例如在单元格中写的 args.optimizer = Adam(0.01)。
# Capital letters do not matter. What is not in the dictionary goes to Keras unchanged, such as an
# Adam(0.01) that is put into args.optimizer in a cell.
optimizer_name = str(args.optimizer).lower()
optimizer = optimizers.get(optimizer_name, args.optimizer)
autoencoder.compile(
    optimizer=optimizer,
    loss="binary_crossentropy",
    # 只为加快训练 · for speed alone
    steps_per_execution=47,  # 每 47 步才回到 Python 一次 · 47 steps in a go
)

# %% 训练 · train
folder = Path(args.models) / "conv"
if not args.load:
    print(args)
    folder.mkdir(parents=True, exist_ok=True)
    callbacks = [common.StopOnCtrlC()]
    if keras.config.backend() == "tensorflow":
        # 日志由 TensorFlow 写，文件夹以时间命名；查看方法见 models/README.md · logs, by TensorFlow
        logs = folder / "logs" / time.strftime("%Y%m%d-%H%M%S")
        callbacks.append(TensorBoard(logs))
    # 目标就是输入本身。1 轮（epoch）之后（不到半分钟），测试集的损失 val_loss 约为 0.17。
    # The target is the input itself. After 1 epoch, in 10 to 30 seconds, val_loss is about 0.17.
    autoencoder.fit(
        x_train,
        x_train,
        epochs=args.epochs,
        batch_size=args.batch_size,
        shuffle=True,
        validation_data=(x_test, x_test),
        callbacks=callbacks,
    )

# %% 保存，画损失曲线 · save, and draw the losses by epoch
if not args.load:
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
    # 一轮只有一个点。loss 是这一轮中的平均，val_loss 是这一轮之后的，所以更小。
    # One epoch, one point. loss is the mean of the epoch, val_loss that after it: smaller.
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
# 一轮训练之后，重建的图片模糊，但大多认得出。编码的 8 个特征图排成 3 × 3，最后一个位置空着（黄色）。
# After one epoch the images are blurred, but most digits can be recognised. A code's 8 maps stand
# in 3 rows of 3, of which the last place is empty: yellow.
n = 10  # 画多少个数字 · how many digits to show
mse = np.mean((decoded_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    "code": encoded_imgs,
    f"reconstruction\nMSE {mse:.4f}": decoded_imgs,
}
common.plot_rows(rows, n, folder / "reconstructions.png", red_blue=["code"])

# %% 画图：网络的结构 · draw the network
common.plot_model(loaded_autoencoder, folder / "model.png")

# ---- 以下是原文之外的内容 · beyond the post ------------------------------------------------

# %% 主成分分析，用来比较 · PCA, to compare with
# 训练一轮之后，网络重建的图片比 PCA 的模糊。
# After 1 epoch the network's images are more blurred than PCA's.
pca_train, pca_codes, pca_imgs = common.pca(x_train, x_test, encoded_imgs[0].size)
pca_label = f"PCA {pca_codes.shape[1]}"
pca_mse = np.mean((pca_imgs - x_test) ** 2)
rows = {
    "original": x_test,
    f"autoencoder\nMSE {mse:.4f}": decoded_imgs,
    f"{pca_label}\nMSE {pca_mse:.4f}": pca_imgs,
}
common.plot_rows(rows, n, folder / "pca.png")

# %% 画图：一张图片经过各层 · draw a digit on its way through all layers
# 每行是一层的特征图，最多 10 个；一行中绝对值最大的，颜色最深；全白，说明经过 relu 后全是 0。直到编码，
# 特征图的像素越来越少，之后又逐步变回图片。
# Each row has a layer's feature maps, 10 at most, and a colour scale of its own; all white: all 0,
# by relu. Down to the code the maps have fewer pixels; after it they become an image again.
values = x_test[:1]
rows = {"original": values}
for layer in loaded_encoder.layers + loaded_decoder.layers:
    if isinstance(layer, InputLayer):  # 输入层不改变什么 · it changes nothing
        continue
    values = np.array(layer(values))  # 形状 · shape: (1, height, width, channels)
    if values.ndim == 4:  # 展平的层不画 · flat layers are not drawn
        maps = values[0].transpose(2, 0, 1)  # 每个通道一张图 · an image for each channel
        rows[f"{layer.name}\n{values.shape[1:]}"] = maps
all_but_original = list(rows)[1:]
common.plot_rows(rows, 10, folder / "layers.png", red_blue=all_but_original)

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# 比较误差看 MSE；各列的含义见 print_table · To compare errors, take the MSE; print_table has the rest.
encoded_train = loaded_encoder.predict(x_train, verbose=0)
methods = [
    ("autoencoder", encoded_train, encoded_imgs, decoded_imgs),
    (pca_label, pca_train, pca_codes, pca_imgs),
]
common.print_table(x_test, y_train, y_test, methods)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
