"""What can two numbers tell?

Codes of two numbers: of PCA, of a single layer without penalty and the deep network (50
epochs of Adam), and of the layers of the network of 2006 (12 epochs, with a rate that goes
down). How many test digits does the nearest training digit's code recognise, and how many do
the fifteen nearest, which vote? The picture is drawn after figure 3 of the paper of 2006.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练 2006 年的网络，编码为 2 维 · train the network of 2006, with a code of two numbers
epochs = 1 if args.quick else 12
common.set_seed(0)
input_img = Input(shape=(784,))
x = Dense(1000, activation="gelu")(input_img)
x = Dense(500, activation="gelu")(x)
x = Dense(250, activation="gelu")(x)
encoded = Dense(2)(x)
x = Dense(250, activation="gelu")(encoded)
x = Dense(500, activation="gelu")(x)
x = Dense(1000, activation="gelu")(x)
decoded = Dense(784, activation="sigmoid")(x)
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
# 学习率从 0.001 逐渐降到 0 · The rate goes down from 0.001 to 0 by the last step.
steps = epochs * int(np.ceil(len(x_train) / 128))
autoencoder.compile(
    optimizer=Adam(CosineDecay(0.001, steps)),
    loss="mse",
    **common.speed_settings(autoencoder, len(x_train), 128, epochs),
)
folder_2006 = args.runs / "network_of_2006_code_of_2_seed_0"
lab.train(folder_2006, autoencoder, encoder, decoder, x_train, epochs, batch_size=128)

# %% 编码 · the codes of all four
pca = PCA(2, svd_solver="covariance_eigh").fit(x_train)
pca_codes = pca.transform(x_test)
codes_train = {"PCA": pca.transform(x_train)}
codes_test = {"PCA": pca_codes}
images = {"PCA": pca.inverse_transform(pca_codes)}
label_2006 = f"784-1000-500-250-2, {epochs} epochs"
folders = {
    "single layer": lab.run(args, "simple", "--optimizer adam --l1 0 --encoding-dim 2"),
    "deep": lab.run(args, "deep", "--optimizer adam --encoding-dim 2"),
    label_2006: folder_2006,
}
for label, folder in folders.items():
    encoder = common.load_model("encoder", folder)
    decoder = common.load_model("decoder", folder)
    codes_train[label] = encoder.predict(x_train, batch_size=1000, verbose=0)
    codes_test[label] = encoder.predict(x_test, batch_size=1000, verbose=0)
    images[label] = decoder.predict(codes_test[label], batch_size=1000, verbose=0)

# %% 画图：散点图 · draw the maps
figure, axes = plt.subplots(1, 2, figsize=(14, 7), layout="constrained")
colors = plt.get_cmap("tab10").colors
for ax, label in zip(axes, ["PCA", label_2006], strict=True):
    for digit in range(10):
        points = codes_test[label][y_test == digit]
        ax.scatter(
            points[:, 0],
            points[:, 1],
            s=14,
            marker=f"${digit}$",
            color=colors[digit],
            linewidth=0,
            label=str(digit),
        )
    ax.set(title=label, xticks=[], yticks=[])
axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
figure.savefig(args.pictures / "map_2006.png", dpi=100)

# %% 结果 · the table, and what came out
head = ["a code of 2", "MSE", "recognised by the nearest", "by the 15 nearest"]
rows = []
by_one = {}
for label, codes in codes_test.items():
    mse = np.mean((x_test - images[label]) ** 2)
    cells = [label, f"{mse:.5f}"]
    for neighbours in (1, 15):
        nearest = KNeighborsClassifier(neighbours).fit(codes_train[label], y_train)
        percent = 100 * nearest.score(codes, y_test)
        cells.append(f"{percent:.1f} %")
        if neighbours == 1:
            by_one[label] = percent
    rows.append(cells)
sentences = f"""Two numbers of the deep network recognise {by_one["deep"]:.1f} % of the test \
digits, and those of the network of 2006 {by_one[label_2006]:.1f} %, though neither ever saw \
a label; PCA's two recognise {by_one["PCA"]:.1f} %, a single layer's \
{by_one["single layer"]:.1f} %."""
lab.report(args, "two_numbers", head, rows, sentences)
