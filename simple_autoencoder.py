"""最简单的单层编码解码机: the post's simplest autoencoder, with one hidden layer.

784 -> --encoding-dim (16; relu, activity penalty --l1) -> 784 (sigmoid)
"""

# %% 准备 · imports and options
import common  # isort: skip (first: it keeps TensorFlow's start quiet)
import matplotlib.pyplot as plt
from keras import Input, Model, regularizers
from keras.layers import Dense
from keras.optimizers import Adadelta, Adam
from sklearn.decomposition import PCA

args = common.options("simple", epochs=50, batch_size=256, encoding_dim=16, l1=10e-5)

# %% 加载数据 · the digits, scaled to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络 · the network, and its two parts
encoding_dim = args.encoding_dim
input_img = Input(shape=(784,))
# 稀疏限制：惩罚项使编码稀疏；没有它，结果与主成分分析相近。
# The penalty makes the code sparse; without it, the result is close to PCA's.
penalty = regularizers.L1(args.l1)
encoded = Dense(encoding_dim, "relu", activity_regularizer=penalty)(input_img)
decoded = Dense(784, activation="sigmoid")(encoded)

# 编码机和解码机是同一个网络的两部分，权重是同一份：训练整个网络，也就训练了它们。
# Encoder and decoder are parts of the one network: training the whole trains them too.
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
autoencoder.summary()

# %% 编译 · compile
# 为什么是 1.0：原文写 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，什么也学不到。
# Why 1.0: that was the rate of the post's 'adadelta'. At today's 0.001 nothing is learnt.
optimizer = Adadelta(learning_rate=args.learning_rate or 1.0)
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=args.learning_rate or 0.001)
fast = common.speed_settings(autoencoder, args.epochs)
autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)

# %% 训练并保存 · train and save
if not args.load:
    with common.ctrl_c_stops(autoencoder):
        # 自监督学习：标签就是输入本身 · Self-supervised: the input is its own label.
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=2,
        )
    common.save_model(autoencoder, "autoencoder", args.folder)
    common.save_model(encoder, "encoder", args.folder)
    common.save_model(decoder, "decoder", args.folder)

# %% 加载保存的模型，编码和解码 · load what was saved, encode and decode
autoencoder = common.load_model("autoencoder", args.folder)
encoder = common.load_model("encoder", args.folder)
decoder = common.load_model("decoder", args.folder)
common.check_parts(autoencoder, encoder, decoder, x_test[:100])
encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)

# %% 与主成分分析比较 · beside PCA with as many numbers; the labels are for this table only
size = encoded_imgs.shape[1]
pca = PCA(min(size, 784), svd_solver="covariance_eigh").fit(x_train)
coders = {"autoencoder": (encoder, decoder)}
coders[f"PCA {size}"] = pca.transform, pca.inverse_transform
common.print_table((x_train, y_train), (x_test, y_test), coders)
# The loss holds the penalty, which a call adds up, and the table does not.
autoencoder(x_test)
entropy, penalty = common.cross_entropy(x_test, decoded_imgs), sum(autoencoder.losses)
loss = entropy + penalty
print(f"cross-entropy + penalty: {entropy:.4f} + {penalty:.4f} = {loss:.4f}")

# %% 画图 · the pictures
n = 12  # how many digits to show
pca_imgs = pca.inverse_transform(pca.transform(x_test))
rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
rows[f"PCA {size}"] = pca_imgs
common.plot_rows(rows, n, args.folder / "reconstructions.png", scaled=["code"])
# What each number of the code adds to a digit, and takes away from it.
rows = {"each code number\ndraws red,\nerases blue": decoder.get_weights()[0]}
rows["a component\nof PCA"] = pca.components_
common.plot_rows(rows, 16, args.folder / "code.png", scaled=rows)
if size == 2:
    common.plot_map(x_test, y_test, coders, args.folder / "map.png")
if not args.load:
    common.plot_history(history.history, x_test, pca_imgs, args.folder / "history.png")
if not args.no_show:
    plt.show()
