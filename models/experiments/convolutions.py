"""What do convolutions need to do better than PCA, with the same code of 128 numbers?

The post's layers; the same with more channels; and strides of 2 in place of pooling, with
transposed convolutions in place of up-sampling, with and without relu on the code. All have 6
epochs of Adam, with a rate that goes down to 0: from 0.005 for the post's layers, which learn
better with it, and from 0.001 for the others. Seed 0.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from keras import Input, Model
from keras.layers import Conv2D, Conv2DTranspose, MaxPooling2D, UpSampling2D
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 28, 28, 1)
epochs = 1 if args.quick else 6
batch_size = 128
errors = {}  # label to MSE
rows = []


def train_and_measure(label, name, input_img, encoded, decoded, rate):
    """Train a network from its input to `decoded`, and add it to the table."""
    autoencoder = Model(input_img, decoded)
    # 学习率逐渐降到 0 · The rate goes down to 0 by the last step.
    steps = epochs * int(np.ceil(len(x_train) / batch_size))
    autoencoder.compile(
        optimizer=Adam(CosineDecay(rate, steps)),
        loss="binary_crossentropy",
        **common.speed_settings(autoencoder, len(x_train), batch_size, epochs),
    )
    encoder = Model(input_img, encoded)
    decoder = Model(encoded, decoded)
    folder = args.runs / name
    lab.train(folder, autoencoder, encoder, decoder, x_train, epochs, batch_size)
    errors[label] = lab.measure(args, folder, digits).mse
    seconds = float((folder / "seconds.txt").read_text()) / epochs
    parameters = autoencoder.count_params()
    rows.append([label, f"{parameters:,}", f"{seconds:.0f}", f"{errors[label]:.5f}"])


# %% 原文的各层，以及更多通道 · the post's layers, and the same with more channels
# 每项：靠外的卷积层和靠内的卷积层的通道数；编码总是 8 个通道。
# Each has the channels of the outer and of the inner convolutions; a code always has 8.
for outer, inner in [(16, 8), (32, 32)]:
    common.set_seed(0)
    input_img = Input(shape=(28, 28, 1))
    x = Conv2D(outer, 3, padding="same", activation="relu")(input_img)
    x = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(inner, 3, padding="same", activation="relu")(x)
    x = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(8, 3, padding="same", activation="relu")(x)
    encoded = MaxPooling2D(2, padding="same")(x)
    x = Conv2D(inner, 3, padding="same", activation="relu")(encoded)
    x = UpSampling2D(2)(x)
    x = Conv2D(inner, 3, padding="same", activation="relu")(x)
    x = UpSampling2D(2)(x)
    x = Conv2D(outer, 3, activation="relu")(x)
    x = UpSampling2D(2)(x)
    decoded = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    label = f"the post's layers, {outer} and {inner} channels"
    name = f"pooled_{outer}_{inner}"
    train_and_measure(label, name, input_img, encoded, decoded, rate=0.005)

# %% 步幅为 2 的卷积代替池化 · strides in place of pooling
# 编码的激活函数：relu，或者没有，这时编码可以小于 0。
# The code's activation is relu, or none: then the code can be below 0.
for outer, inner, activation in [(16, 32, "relu"), (16, 32, None), (32, 64, None)]:
    common.set_seed(0)
    input_img = Input(shape=(28, 28, 1))
    x = Conv2D(outer, 3, strides=2, padding="same", activation="relu")(input_img)
    x = Conv2D(inner, 3, strides=2, padding="same", activation="relu")(x)
    encoded = Conv2D(8, 3, strides=2, padding="same", activation=activation)(x)
    x = Conv2DTranspose(inner, 3, strides=2, padding="same", activation="relu")(encoded)
    x = Conv2D(inner, 2, activation="relu")(x)  # without padding, 8 x 8 becomes 7 x 7
    x = Conv2DTranspose(outer, 3, strides=2, padding="same", activation="relu")(x)
    x = Conv2DTranspose(outer, 3, strides=2, padding="same", activation="relu")(x)
    decoded = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    kind = "relu" if activation == "relu" else "no relu"
    label = f"strides, {outer} and {inner} channels, {kind} on the code"
    name = f"strided_{outer}_{inner}_{kind.replace(' ', '_')}"
    train_and_measure(label, name, input_img, encoded, decoded, rate=0.001)

# %% 主成分分析 · PCA, of as many numbers
flat_train = x_train.reshape(len(x_train), 784)
flat_test = x_test.reshape(len(x_test), 784)
pca = PCA(128, svd_solver="covariance_eigh").fit(flat_train)
pca_imgs = pca.inverse_transform(pca.transform(flat_test))
pca_mse = np.mean((flat_test - pca_imgs) ** 2)
rows.append(["PCA", "–", "–", f"{pca_mse:.5f}"])

# %% 结果 · the table, and what came out
head = ["a code of 128", "parameters", "seconds an epoch", "MSE"]
shares = [f"{label}: {error / pca_mse:.2f}" for label, error in errors.items()]
sentences = f"The error divided by PCA's: {'; '.join(shares)}."
lab.report(args, "convolutions", head, rows, sentences)
