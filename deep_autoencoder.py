"""多层的编码解码机: the post's deep autoencoder, trained once and split twice.

784 -> 128 -> 64 -> 32 (--encoding-dim) -> 64 -> 128 -> 784; the second time behind --split
"""

# %% 准备 · imports and options
import common  # isort: skip (first: it keeps TensorFlow's start quiet)
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adadelta, Adam
from sklearn.decomposition import PCA

args = common.options("deep", epochs=50, batch_size=256, encoding_dim=32, split=2)

# %% 加载数据 · the digits, scaled to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
print(x_train.shape, x_test.shape)

# %% 建立网络 · the network, split where it is narrowest
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

# %% 编译 · compile
# 为什么是 1.0：原文写 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，什么也学不到。
# Why 1.0: that was the rate of the post's 'adadelta'. At today's 0.001 nothing is learnt.
optimizer = Adadelta(learning_rate=args.learning_rate or 1.0)
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=args.learning_rate or 0.0015)  # 0.001 ends higher
fast = common.speed_settings(autoencoder, args.epochs)
autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)

# %% 训练并保存 · train and save
if not args.load:
    with common.ctrl_c_stops(autoencoder):
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

# %% 把中间层向前推进一层 · the same network, split one layer earlier
encoded2 = autoencoder.layers[args.split].output
encoder2 = Model(autoencoder.input, encoded2)
decoder2 = Model(encoded2, autoencoder.output)
encoded_imgs2 = encoder2.predict(x_test, batch_size=1000, verbose=0)

# %% 与主成分分析比较 · beside PCA with as many numbers; the labels are for this table only
size, size2 = encoded_imgs.shape[1], encoded_imgs2.shape[1]
pca = PCA(min(size, 784), svd_solver="covariance_eigh").fit(x_train)
pca2 = PCA(min(size2, 784), svd_solver="covariance_eigh").fit(x_train)
coders = {f"split at {size}": (encoder, decoder)}
coders[f"PCA {size}"] = pca.transform, pca.inverse_transform
coders2 = {f"layer {args.split}: {size2}": (encoder2, decoder2)}
coders2[f"PCA {size2}"] = pca2.transform, pca2.inverse_transform
common.print_table((x_train, y_train), (x_test, y_test), coders | coders2)

# %% 画图 · the pictures
n = 10  # how many digits to show
pca_imgs = pca.inverse_transform(pca.transform(x_test))
rows = {"original": x_test, "code": encoded_imgs, f"layer {args.split}": encoded_imgs2}
rows |= {"reconstruction": decoded_imgs, f"PCA {size}": pca_imgs}
scaled = ["code", f"layer {args.split}"]
common.plot_rows(rows, n, args.folder / "reconstructions.png", scaled)
# From the first digit to the second, and codes of values from any digits.
walk = np.linspace(*encoded_imgs[:2], n)
draw = np.random.default_rng(args.seed).permuted(encoded_imgs, axis=0)[:n]
rows = {"mixing\ncodes": decoder.predict(walk, verbose=0)}
rows["mixing\npixels"] = np.linspace(*x_test[:2], n)
rows["random\ncodes"] = decoder.predict(draw, verbose=0)
common.plot_rows(rows, n, args.folder / "walk.png")
if size == 2:
    common.plot_map(x_test, y_test, coders, args.folder / "map.png")
if not args.load:
    common.plot_history(history.history, x_test, pca_imgs, args.folder / "history.png")
if not args.no_show:
    plt.show()
