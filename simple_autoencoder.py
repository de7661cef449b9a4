"""《最简单的单层编码解码机》: the post's simplest autoencoder (自编码器), of one hidden layer.

784 -> 16 (relu, with an L1 penalty on the code) -> 784 (sigmoid)
"""

# %% 准备 · imports and options
import common  # before Keras, to keep TensorFlow's start quiet

import argparse
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model, regularizers
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
    default=16,
    metavar="N",
    help="numbers in the code: the fewer, the harder (%(default)s)",
)
parser.add_argument(
    "--l1",
    type=common.non_negative_float,
    default=10e-5,  # as the post writes it: 0.0001
    metavar="STRENGTH",
    help="penalty on large codes, added to the loss: STRENGTH times the sum of a code's "
    "magnitudes, averaged over the digits (%(default)s)",
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

# %% 建立网络 · build the network, and its two parts
# 使用同一个随机种子时，初始权重和结果都相同。
# The same seed gives the same first weights, and the same results.
keras.utils.set_random_seed(args.seed)
common.make_sums_repeatable()

# 784 个像素压缩成 16 个数，可以看成 4 × 4 的图像。
# 784 pixels become 16 numbers, which can be seen as an image of 4 x 4.
encoding_dim = args.encoding_dim
input_img = Input(shape=(784,))
# 稀疏约束：L1 惩罚使编码的值变小，并使更多的值为 0。
# The L1 penalty makes a code's numbers smaller, and more of them 0.
encoded = Dense(
    encoding_dim, activation="relu", activity_regularizer=regularizers.L1(args.l1)
)(input_img)
decoded = Dense(784, activation="sigmoid")(encoded)

# 编码器和解码器各是整个网络的一部分，与它共用权重：训练整个网络，也就训练了它们。
# 原文从 autoencoder.layers 中取出解码器的层，这里直接写从 encoded 到 decoded，结果相同。
# Encoder and decoder are each a part of the whole network and share its weights: training
# the whole trains them too. The post takes the decoder's layers from autoencoder.layers;
# naming where it begins and ends does the same.
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
autoencoder.summary()

# %% 编译、训练、保存 · compile, train and save
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=0.001)
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
folder = Path(args.models) / "simple"
if not args.load:
    # 提前检查训练之后才会暴露的错误。
    # Errors that would show after the training are looked for before it.
    common.check_epochs(args.epochs)
    common.check_digits_for_pca(x_train, encoder.output)
    common.check_loadable(autoencoder)
    common.make_folder(folder)
    with common.ctrl_c_stops(autoencoder):
        # 自监督学习：目标就是输入本身，不用标签。
        # Self-supervised learning: the target is the input itself; no label is used.
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

# %% 主成分分析，用来比较 · PCA, to compare with
# 主成分分析不用神经网络，也能把图片压缩成同样维数的编码，再线性重建。
# PCA needs no network. It turns an image into a code of the same size, and back, linearly.
size = encoded_imgs.shape[1]
components = min(size, 784)  # an image of 784 pixels has no more
pca = PCA(components, svd_solver="covariance_eigh")  # exact, and fast here
pca.fit(x_train)
pca_codes = pca.transform(x_test)
pca_imgs = pca.inverse_transform(pca_codes)

# %% 画图：原图、编码、重建 · draw digits, their codes, and what is decoded from these
# 重建的图片应当认得出是同一个数字；训练 50 轮之后，比 PCA 的更清楚。
# A reconstruction should show the same digit as the original; after 50 epochs, clearer
# than PCA's.
n = 12  # how many digits to show
rows = {
    "original": x_test,
    "code": encoded_imgs,
    "reconstruction": decoded_imgs,
    f"PCA {components}": pca_imgs,
}
common.plot_rows(rows, n, folder / "reconstructions.png", scaled=["code"])

# %% 画图：编码的每一维对图像的作用 · draw what each number of the code does to the image
# 解码器权重的第 i 行，是编码的第 i 维对 784 个像素的作用：红色处变亮，蓝色处变暗，白色处不变。
# 每幅图按自身的最大绝对值归一化；只画前 16 维。
# 若某幅图杂乱无章，说明这一维对所有图片都是 0（ReLU 神经元“死亡”），权重仍是随机的初始值。
# Row i of the decoder's weights is what number i of the code does to the 784 pixels: it makes
# red ones brighter and blue ones darker, and leaves white ones as they are. Each image is
# divided by its own largest magnitude. The first 16 are drawn. If one looks like noise, its
# number is 0 for all digits: it has learnt nothing, and has its random first weights still.
weights = decoder.get_weights()[0]
largest_weights = np.abs(weights).max(axis=1, keepdims=True)
largest_values = np.abs(pca.components_).max(axis=1, keepdims=True)
rows = {
    "decoder weights\nof one number": weights / largest_weights,
    "a component\nof PCA": pca.components_ / largest_values,
}
both = list(rows)  # in rows that are scaled, red is above 0, and blue below
common.plot_rows(rows, 16, folder / "code.png", scaled=both)

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
# 训练集和测试集的损失曲线应当一同下降（损失中包含惩罚项）。
# 两条虚线是测试集上的交叉熵：PCA 的，以及下界，即图片与自身的交叉熵（灰色像素使它大于 0）。
# The curves of training and test digits should go down together; they hold the penalty.
# The dashed lines are cross-entropies of the test digits: PCA's, and the floor, which perfect
# images would have. It is not 0, as some pixels are grey.
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
common.print_table_head(len(x_test))
common.print_table_row("autoencoder", x_test, encoded_imgs, decoded_imgs, recognised)
common.print_table_row(f"PCA {components}", x_test, pca_codes, pca_imgs, pca_recognised)
common.print_table_floor(x_test)

if not args.load:
    # 训练时打印的 val_loss 是测试图片的交叉熵与惩罚项之和，表中只有交叉熵。
    # val_loss, as the training prints it, is the cross-entropy of the test digits, which
    # the table has, and the penalty.
    entropy = common.cross_entropy(x_test, decoded_imgs)
    penalty = args.l1 * np.abs(encoded_imgs).sum(axis=1).mean()
    print(
        f"cross-entropy + penalty: {entropy:.4f} + {penalty:.4f} = {entropy + penalty:.4f}"
    )

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
