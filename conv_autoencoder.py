"""卷积神经网络的autoencoder: the post's convolutional autoencoder.

(28, 28, 1) -> 6 layers -> a code of (4, 4, 8) -> 7 layers -> (28, 28, 1)
"""

# %% 准备 · imports and options
import common  # isort: skip (first: it keeps TensorFlow's start quiet)
import time

import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model, config
from keras.callbacks import TensorBoard
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D
from keras.optimizers import Adadelta, Adam
from sklearn.decomposition import PCA

args = common.options("conv", epochs=1, batch_size=128)

# %% 加载数据 · the digits, scaled to 0 .. 1
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 28, 28, 1)
x_test = x_test.reshape(len(x_test), 28, 28, 1)
print(x_train.shape, x_test.shape)

# %% 建立网络 · the network, and its two parts
input_img = Input(shape=(28, 28, 1))
x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
encoded = MaxPooling2D((2, 2), padding="same")(x)  # (4, 4, 8): 128 values
x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = UpSampling2D((2, 2))(x)
x = Conv2D(16, (3, 3), activation="relu")(x)  # no padding: 16 x 16 becomes 14 x 14
x = UpSampling2D((2, 2))(x)
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
autoencoder.summary()

# %% 编译 · compile
# 为什么是 1.0：原文写 'adadelta'，当年它的学习率就是 1.0；如今默认为 0.001，什么也学不到。
# Why 1.0: that was the rate of the post's 'adadelta'. At today's 0.001 nothing is learnt.
optimizer = Adadelta(learning_rate=args.learning_rate or 1.0)
if args.optimizer == "adam":
    optimizer = Adam(learning_rate=args.learning_rate or 0.005)  # 0.001 ends higher
fast = common.speed_settings(autoencoder, args.epochs)
autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)

# %% 训练并保存 · train and save
if not args.load:
    logs = args.folder / "logs" / time.strftime("%Y%m%d-%H%M%S")
    callbacks = [TensorBoard(log_dir=logs)] if config.backend() == "tensorflow" else []
    with common.ctrl_c_stops(autoencoder):
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=2,
            callbacks=callbacks,
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
size = encoded_imgs[0].size
pca = PCA(size, svd_solver="covariance_eigh").fit(x_train.reshape(-1, 784))
coders = {"autoencoder": (encoder, decoder)}
coders[f"PCA {size}"] = pca.transform, pca.inverse_transform
common.print_table((x_train, y_train), (x_test, y_test), coders)

# %% 画图 · the pictures
n = 10  # how many digits to show
pca_imgs = pca.inverse_transform(pca.transform(x_test.reshape(-1, 784)))
rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
rows[f"PCA {size}"] = pca_imgs
common.plot_rows(rows, n, args.folder / "reconstructions.png", scaled=["code"])
common.plot_model(autoencoder, args.folder / "model.png")
# A digit on its way through all layers: a row for each, with its maps side by side.
rows, through = {}, Model(autoencoder.input, [x.output for x in autoencoder.layers])
for layer, (maps,) in zip(autoencoder.layers, through.predict(x_test[:1], verbose=0)):
    images = np.moveaxis(maps, 2, 0) if maps.ndim == 3 else [maps]
    rows[f"{layer.name}\n{maps.shape}"] = images
common.plot_rows(rows, 16, args.folder / "layers.png", scaled=rows)
if not args.load:
    common.plot_history(history.history, x_test, pca_imgs, args.folder / "history.png")
if not args.no_show:
    plt.show()
