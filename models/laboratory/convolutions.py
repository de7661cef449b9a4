"""What do convolutions need to do better than PCA, with the same code of 128 numbers?

The post's layers, the same made wider, and strides of 2 in place of pooling, with
transposed convolutions in place of up-sampling and no relu on the code. The new ones are
trained for 6 epochs of Adam, with a rate that goes down from 0.001 to 0; seed 0.
"""

# %% 准备 · imports and options
import lab

import common

import keras
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
epochs = min(6, args.most_epochs)
reached = {}  # label to figures
rows = []


def train_and_measure(label, name, input_img, encoded, decoded):
    """Train a network from its input to `decoded`, and add it to the table."""
    autoencoder = Model(input_img, decoded)
    # 学习率从 0.001 逐渐降到 0 · The rate goes down from 0.001 to 0 by the last step.
    steps = epochs * int(np.ceil(len(x_train) / 128))
    autoencoder.compile(
        optimizer=Adam(CosineDecay(0.001, steps)),
        loss="binary_crossentropy",
        steps_per_execution=common.steps_at_a_time(len(x_train), 128),
    )
    encoder = Model(input_img, encoded)
    decoder = Model(encoded, decoded)
    folder = args.runs / name
    lab.train(folder, autoencoder, encoder, decoder, x_train, epochs, batch_size=128)
    reached[label] = lab.measure(args, folder, digits)
    seconds = float((folder / "seconds.txt").read_text()) / epochs
    parameters = autoencoder.count_params()
    mse = reached[label].mse
    rows.append([label, f"{parameters:,}", str(epochs), f"{seconds:.0f}", f"{mse:.5f}"])


# %% 原文的网络 · the post's network
folder = lab.run(args, "conv", "--optimizer adam --epochs 10 --seed 0")
post = lab.measure(args, folder, digits)
parameters = common.load_model("autoencoder", folder).count_params()
rows.append(["the post's layers", f"{parameters:,}", "10", "–", f"{post.mse:.5f}"])

# %% 步幅为 2 的卷积代替池化 · strides in place of pooling
for first, second in [(16, 32), (32, 64)]:  # channels
    keras.utils.set_random_seed(0)
    common.make_sums_repeatable()
    input_img = Input(shape=(28, 28, 1))
    x = Conv2D(first, 3, strides=2, padding="same", activation="relu")(input_img)
    x = Conv2D(second, 3, strides=2, padding="same", activation="relu")(x)
    # 编码是 (4, 4, 8)，没有 relu，可以小于 0 · The code can be below 0.
    encoded = Conv2D(8, 3, strides=2, padding="same")(x)
    x = Conv2DTranspose(second, 3, strides=2, padding="same", activation="relu")(encoded)
    x = Conv2D(second, 2, activation="relu")(x)  # 8 x 8 becomes 7 x 7
    x = Conv2DTranspose(first, 3, strides=2, padding="same", activation="relu")(x)
    x = Conv2DTranspose(first, 3, strides=2, padding="same", activation="relu")(x)
    decoded = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    label = f"strides, {first} and {second} channels"
    train_and_measure(label, f"strided_{first}_{second}", input_img, encoded, decoded)

# %% 原文的层，每层 32 个通道 · the post's layers, of 32 channels each, but for the code's 8
keras.utils.set_random_seed(0)
common.make_sums_repeatable()
input_img = Input(shape=(28, 28, 1))
x = Conv2D(32, 3, padding="same", activation="relu")(input_img)
x = MaxPooling2D(2, padding="same")(x)
x = Conv2D(32, 3, padding="same", activation="relu")(x)
x = MaxPooling2D(2, padding="same")(x)
x = Conv2D(8, 3, padding="same", activation="relu")(x)
encoded = MaxPooling2D(2, padding="same")(x)
x = Conv2D(32, 3, padding="same", activation="relu")(encoded)
x = UpSampling2D(2)(x)
x = Conv2D(32, 3, padding="same", activation="relu")(x)
x = UpSampling2D(2)(x)
x = Conv2D(32, 3, activation="relu")(x)
x = UpSampling2D(2)(x)
decoded = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
label = "the post's layers, 32 channels"
train_and_measure(label, "wide_post", input_img, encoded, decoded)

# %% 主成分分析 · PCA, of as many numbers
flat_train = x_train.reshape(len(x_train), 784)
flat_test = x_test.reshape(len(x_test), 784)
pca = PCA(128, svd_solver="covariance_eigh").fit(flat_train)
pca_imgs = pca.inverse_transform(pca.transform(flat_test))
pca_mse = np.mean((flat_test - pca_imgs) ** 2)
rows.append(["PCA", "–", "–", "–", f"{pca_mse:.5f}"])

# %% 结果 · the table, and what came out
head = ["a code of 128", "parameters", "epochs", "seconds an epoch", "MSE"]
strided = reached["strides, 16 and 32 channels"].mse / pca_mse
wide = reached["the post's layers, 32 channels"].mse / pca_mse
sentences = f"""The error of the post's layers is {post.mse / pca_mse:.2f} times PCA's, and with \
32 channels in each layer {wide:.2f} times PCA's. With strides, and 16 and 32 channels, it is \
{strided:.2f} times PCA's."""
lab.report(args, "convolutions", head, rows, sentences)
