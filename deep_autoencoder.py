"""《多层的编码解码机》: the post's deep autoencoder (自编码器), trained once and split twice.

784 -> 128 -> 64 -> 32 -> 64 -> 128 -> 784 (relu; the last one sigmoid)
"""

# %% 准备 · imports and options
import common  # before Keras, to keep TensorFlow's start quiet

import argparse
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adadelta, Adam
from sklearn.decomposition import PCA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--epochs",
    type=common.positive_int,
    default=50,
    metavar="N",
    help="how many times the training goes through all digits (%(default)s)",
)
parser.add_argument(
    "--batch-size",
    type=common.positive_int,
    default=256,
    metavar="N",
    help="images in a batch; the weights change after each batch (%(default)s)",
)
parser.add_argument(
    "--encoding-dim",
    type=common.positive_int,
    default=32,
    metavar="N",
    help="numbers in the code, in the middle of the network (%(default)s)",
)
parser.add_argument(
    "--split",
    type=common.positive_int,
    default=2,
    metavar="LAYER",
    help="after the training, the network is also split after this layer: 1 is the first one "
    "behind the input, 2 is the post's, of 64 numbers (%(default)s)",
)
common.shorten_errors()  # one line for an error that you can mend
common.allow_any_text()  # where output cannot have Chinese, ? stands for it
common.use_keras_defaults()  # whatever your keras.json says
args = common.parse_options(parser)

# %% 加载数据，像素值从 0–255 缩放到 0–1 · load the digits, scaled from 0 .. 255 to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络，在最窄处拆分 · build the network, and split it where it is narrowest
# 使用同一个随机种子时，初始权重和结果都相同。
# The same seed gives the same first weights, and the same results.
keras.utils.set_random_seed(args.seed)
common.make_sums_repeatable()

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
decoded = Dense(784, activation="sigmoid")(decoded)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
autoencoder.summary()
last_split = len(autoencoder.layers) - 2
if args.split > last_split:
    raise common.UserError(f"--split: the layers to split at are 1 to {last_split}")

# %% 编译、训练、保存 · compile, train and save
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=0.0015)  # with 0.001 the loss ends higher
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
folder = Path(args.models) / "deep"
if not args.load:
    # 提前检查训练之后才会暴露的错误。
    # Errors that would show after the training are looked for before it.
    common.check_epochs(args.epochs)
    common.check_digits_for_pca(x_train, encoder.output)
    common.check_digits_for_pca(x_train, autoencoder.layers[args.split].output)
    common.check_loadable(autoencoder)
    common.make_folder(folder)
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

# %% 把中间层向前推进一层，即改以更靠近输入的前一层为界拆分 · split one layer earlier
# 网络不变，也不用再训练：编码改取自第 2 层（由 32 维变成 64 维），重建的图片不变。
# The network is the same, and not trained again. The code is now what comes out of layer 2,
# 64 numbers in place of 32; the reconstructions stay the same.
encoded2 = autoencoder.layers[args.split].output
encoder2 = Model(autoencoder.input, encoded2)
decoder2 = Model(encoded2, autoencoder.output)
encoded_imgs2 = encoder2.predict(x_test, batch_size=1000, verbose=0)
decoded_imgs2 = decoder2.predict(encoded_imgs2, batch_size=1000, verbose=0)

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片压缩成同样维数的编码，再线性重建。
# PCA needs no network. It turns an image into a code of the same size, and back, linearly.
size = encoded_imgs.shape[1]
components = min(size, 784)  # an image of 784 pixels has no more
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(x_train)
pca_codes = pca.transform(x_test)
pca_imgs = pca.inverse_transform(pca_codes)

size2 = encoded_imgs2.shape[1]
components2 = min(size2, 784)
pca2 = PCA(components2, svd_solver="covariance_eigh")
pca2.fit(x_train)
pca_codes2 = pca2.transform(x_test)
pca_imgs2 = pca2.inverse_transform(pca_codes2)

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 重建的图片应当认得出是同一个数字；训练 50 轮之后，误差与 PCA 相近，用 Adam 则明显更小。
# 编码画成正方形：32 维的编码占 6 × 6 个位置中的 32 个，空着的 4 个是白色。
# A reconstruction should show the same digit as the original. After 50 epochs its error is
# about PCA's, and with Adam clearly smaller. A code is drawn as a square: of 6 x 6 places, a
# code of 32 leaves 4 empty, which are white.
n = 10  # how many digits to show
rows = {
    "original": x_test,
    "code": encoded_imgs,
    f"code of layer {args.split}": encoded_imgs2,
    "reconstruction": decoded_imgs,
    f"PCA {components}": pca_imgs,
}
scaled = ["code", f"code of layer {args.split}"]
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=scaled)

# %% 画图：插值与随机编码 · draw what lies between two digits, and random codes
# 编码插值时形状逐渐变化，像素插值只是两图重叠。
# 从 32 维随机编码解码出的图片多半不像数字：普通的自编码器不是生成模型。
# Between two codes the shape changes; between two images one only fades into the other.
# Images decoded from random codes of 32 numbers seldom look like digits: a plain autoencoder
# does not generate them.
first_code = encoded_imgs[0]
second_code = encoded_imgs[1]
mixed_codes = np.linspace(first_code, second_code, n)
# 打乱每一列：每个位置上的数都取自真实的编码，但一个编码里的各个数来自不同的图片。
# Shuffle each column: every number is from the same place of a real code, but the numbers
# of one random code are from different digits.
shuffled_codes = np.random.default_rng(args.seed).permuted(encoded_imgs, axis=0)
random_codes = shuffled_codes[:n]
rows = {
    "mixing\ncodes": decoder.predict(mixed_codes, verbose=0),
    "mixing\npixels": np.linspace(x_test[0], x_test[1], n),
    "random\ncodes": decoder.predict(random_codes, verbose=0),
}
common.plot_rows(rows, n, folder / "walk.png")

# %% 画图：二维编码的散点图 · draw the map of a code of two numbers (--encoding-dim 2)
# 横轴和纵轴是编码的两维在所有图片中的排名。同一个数字的点若聚在一起，编码就能区分它。
# 下图在同样的坐标上均匀取点，由各点的编码解码出图片，没有数据点的地方也有。
# The axes are the ranks of a code's two numbers among all digits'. Where a digit's points
# lie together, the code tells it apart. Below, on the same axes, are images decoded from the
# codes on an even grid, also of places where no digit lies.
if size == 2:
    codes = {
        "autoencoder: codes of two numbers": encoded_imgs,
        "PCA: two components": pca_codes,
    }
    grid_imgs = {
        "autoencoder: codes of two numbers": decoder.predict(
            common.map_grid(encoded_imgs), verbose=0
        ),
        "PCA: two components": pca.inverse_transform(common.map_grid(pca_codes)),
    }
    common.plot_maps(codes, grid_imgs, y_test, folder / "map.png")

# %% 画图：损失曲线 · draw the losses by epoch
# 训练集和测试集的损失曲线应当一同下降。
# 两条虚线是测试集上的交叉熵：PCA 的，以及下界，即图片与自身的交叉熵（灰色像素使它大于 0）。
# The curves of training and test digits should go down together. The dashed lines are
# cross-entropies of the test digits: PCA's, and the floor, which perfect images would have.
# It is not 0, as some pixels are grey.
if not args.load:
    levels = {
        "cross-entropy of PCA": common.cross_entropy(x_test, pca_imgs),
        "floor": common.cross_entropy(x_test, x_test),
    }
    common.plot_history(history.history, levels, folder / "history.png")

# %% 表格：误差和准确率 · the table: errors, and how many digits are recognised
# 最近邻分类的准确率：对每张测试图片，找编码最接近的训练图片，两者标签相同的比例。
# A test digit is recognised if the training digit of the nearest code has the same label.
recognised = common.nearest_neighbour_accuracy(
    encoder.predict(x_train, batch_size=1000, verbose=0), y_train, encoded_imgs, y_test
)
pca_recognised = common.nearest_neighbour_accuracy(
    pca.transform(x_train), y_train, pca_codes, y_test
)
recognised2 = common.nearest_neighbour_accuracy(
    encoder2.predict(x_train, batch_size=1000, verbose=0), y_train, encoded_imgs2, y_test
)
pca_recognised2 = common.nearest_neighbour_accuracy(
    pca2.transform(x_train), y_train, pca_codes2, y_test
)
common.print_table_head(len(x_test))
common.print_table_row(f"middle: {size}", x_test, encoded_imgs, decoded_imgs, recognised)
common.print_table_row(f"PCA {components}", x_test, pca_codes, pca_imgs, pca_recognised)
common.print_table_row(
    f"layer {args.split}: {size2}", x_test, encoded_imgs2, decoded_imgs2, recognised2
)
common.print_table_row(f"PCA {components2}", x_test, pca_codes2, pca_imgs2, pca_recognised2)
common.print_table_floor(x_test)

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
