"""《卷积神经网络的autoencoder》: the post's convolutional autoencoder (自编码器).

(28, 28, 1) -> 6 layers -> a code of (4, 4, 8) -> 7 layers -> (28, 28, 1)
"""

# %% 准备 · imports and options
import common  # before Keras, to keep TensorFlow's start quiet

import argparse
import time
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.callbacks import TensorBoard
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D
from keras.optimizers import Adadelta, Adam
from sklearn.decomposition import PCA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--epochs",
    type=common.positive_int,
    default=1,
    metavar="N",
    help="how many times the training goes through all digits (%(default)s)",
)
parser.add_argument(
    "--batch-size",
    type=common.positive_int,
    default=128,
    metavar="N",
    help="images in a batch; the weights change after each batch (%(default)s)",
)
common.shorten_errors()  # one line for an error that you can mend
common.allow_any_text()  # where output cannot have Chinese, ? stands for it
common.use_keras_defaults()  # whatever your keras.json says
args = common.parse_options(parser)

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 28, 28, 1)
x_test = x_test.reshape(len(x_test), 28, 28, 1)
print(x_train.shape, x_test.shape)

# %% 建立网络 · build the network, and its two parts
# 使用同一个随机种子时，初始权重和结果都相同。
# The same seed gives the same first weights, and the same results.
keras.utils.set_random_seed(args.seed)
common.make_sums_repeatable()

# 连输入层共 14 层；卷积核为 3 × 3，池化取每 2 × 2 个值中最大的，上采样把每个值重复成 2 × 2。
# 池化也用 same 填充：28 → 14 → 7 → 4。
# 14 layers with the input. Convolutions have kernels of 3 x 3; pooling takes the largest of
# 2 x 2 values, with padding too: 28, 14, 7, 4; up-sampling repeats each value 2 x 2 times.
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
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
autoencoder.summary()

# %% 编译、训练、保存 · compile, train and save
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=0.005)  # with 0.001 the loss ends higher
else:
    # 原文写 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，几乎学不到东西。
    # The rate of the post's 'adadelta' was 1.0. At today's 0.001 next to nothing is learnt.
    optimizer = Adadelta(learning_rate=1.0)
if args.learning_rate is not None:
    optimizer.learning_rate = args.learning_rate
autoencoder.compile(
    optimizer=optimizer,
    loss="binary_crossentropy",
    # 这两项只为加快速度 · These two are there for speed alone.
    steps_per_execution=common.steps_at_a_time(len(x_train), args.batch_size),
    jit_compile=common.xla_setting(autoencoder, args.epochs),
)
folder = Path(args.models) / "conv"
if not args.load:
    # 提前检查训练之后才会暴露的错误。
    # Errors that would show after the training are looked for before it.
    common.check_epochs(args.epochs)
    common.check_digits_for_pca(x_train, encoder.output)
    common.check_loadable(autoencoder)
    common.make_folder(folder)
    callbacks = []
    if keras.config.backend() == "tensorflow":  # only TensorFlow can write these logs
        log_dir = folder / "logs" / time.strftime("%Y%m%d-%H%M%S")
        callbacks.append(TensorBoard(log_dir=log_dir))  # see models/README.md
    with common.ctrl_c_stops(autoencoder):
        # 自监督学习：目标就是输入本身 · Self-supervised: the target is the input itself.
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=args.verbose,
            callbacks=callbacks,
        )
    # 检查 decoder(encoder(x)) 与 autoencoder(x) 一致 · They must give the same images.
    common.check_parts(autoencoder, encoder, decoder, x_test[:100])
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)

# %% 加载保存的模型，编码和解码 · load what was saved, encode and decode
# whole=autoencoder：加载的编码器和解码器仍与整个网络共用各层，所以重新编译之后可以接着训练。
# With whole=autoencoder, the two have the layers of the whole network in common again, so
# that training can go on, after another compile.
autoencoder = common.load_model("autoencoder", folder)
encoder = common.load_model("encoder", folder, whole=autoencoder)
decoder = common.load_model("decoder", folder, whole=autoencoder)
common.check_parts(autoencoder, encoder, decoder, x_test[:100])
encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片压缩成同样维数的编码，再线性重建。
# PCA needs no network. It turns an image into a code of the same size, and back, linearly.
size = encoded_imgs[0].size
components = min(size, 784)  # an image of 784 pixels has no more
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(x_train.reshape(len(x_train), 784))
pca_codes = pca.transform(x_test.reshape(len(x_test), 784))
pca_imgs = pca.inverse_transform(pca_codes)

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 一轮训练之后，重建的图片认得出，但比 PCA 的模糊；训练更多轮会更好。
# 编码的 8 个特征图排成 3 × 3，最后一个位置空着。
# After one epoch the digits can be recognised, but are more blurred than PCA's; more epochs
# help.
# A code's 8 feature maps stand in 3 rows of 3, and the last place is empty.
n = 10  # how many digits to show
rows = {
    "original": x_test,
    "code": encoded_imgs,
    "reconstruction": decoded_imgs,
    f"PCA {components}": pca_imgs,
}
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=["code"])

# %% 画图：一张图片经过各层 · draw a digit on its way through all layers
# 每行是一层的特征图，最多 16 个，画成同样大小，每行的最大值显示为白色。
# 越靠近编码，特征图越小、越粗略，之后又逐步变回图片；全黑的特征图没有被这张图片激活。
# Each row has a layer's feature maps, 16 at most, all drawn in the same size; the largest
# value of a row is white. Down to the code they have fewer pixels, and after it they become
# an image again. A map that is all black does not react to this digit.
layer_outputs = [layer.output for layer in autoencoder.layers]
all_layers = Model(autoencoder.input, layer_outputs)
all_values = all_layers.predict(x_test[:1], verbose=0)
rows = {}
for layer, values in zip(autoencoder.layers, all_values, strict=True):
    maps = values[0]  # values has an axis for the digits, of which there is one
    if maps.ndim == 3:
        images = np.moveaxis(maps, 2, 0)  # (height, width, k) becomes (k, height, width)
    else:  # a layer without maps, such as a Dense that you have added: its numbers
        images = values
    rows[f"{layer.name}\n{maps.shape}"] = images
common.plot_rows(rows, 16, folder / "layers.png", scaled=list(rows))

# %% 画图：网络的结构 · draw the network
# 从上到下是各层，以及每层输入和输出的形状。
# From top to bottom the layers, with the shapes of what goes in and comes out.
common.plot_model(autoencoder, folder / "model.png")

# %% 画图：损失曲线 · draw the losses by epoch
# 只训练一轮时每条曲线只有一个点。
# 两条虚线是测试集上的交叉熵：PCA 的，以及下界，即图片与自身的交叉熵（灰色像素使它大于 0）。
# After one epoch each curve is a single point. The dashed lines are cross-entropies of the
# test digits: PCA's, and the floor, which perfect images would have. It is not 0, as some
# pixels are grey.
if not args.load:
    levels = {
        "cross-entropy of PCA": common.cross_entropy(
            x_test, pca_imgs.reshape(x_test.shape)
        ),
        "floor": common.cross_entropy(x_test, x_test),
    }
    common.plot_history(history.history, levels, folder / "history.png")

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# 最近邻分类的准确率：对每张测试图片，找编码最接近的训练图片，两者标签相同的比例。
# A test digit is recognised if the training digit of the nearest code has the same label.
recognised = common.nearest_neighbour_accuracy(
    encoder.predict(x_train, batch_size=1000, verbose=0), y_train, encoded_imgs, y_test
)
pca_train = pca.transform(x_train.reshape(len(x_train), 784))
pca_recognised = common.nearest_neighbour_accuracy(pca_train, y_train, pca_codes, y_test)
common.print_table_head(len(x_test))
common.print_table_row("autoencoder", x_test, encoded_imgs, decoded_imgs, recognised)
common.print_table_row(f"PCA {components}", x_test, pca_codes, pca_imgs, pca_recognised)
common.print_table_floor(x_test)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
