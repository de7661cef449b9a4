"""How close does today's training come to the network of 2006?

G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data with neural
networks", Science 313, 2006, figure 2B, report the squared error of MNIST's test digits from
30 numbers. They trained the network layer by layer first. Here it starts from random weights:
GELU, MSE, 50 epochs of Adam, with a rate that goes down, and a new order of the digits in each.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练 · train the network, from three seeds
seeds = [0] if args.quick else [0, 1, 2]
epochs = 1 if args.quick else 50
batch_size = 128
figures = []
for seed in seeds:
    common.set_seed(seed)
    input_img = Input(shape=(784,))
    x = Dense(1000, activation="gelu")(input_img)
    x = Dense(500, activation="gelu")(x)
    x = Dense(250, activation="gelu")(x)
    encoded = Dense(30)(x)  # 论文里也没有激活函数 · without activation, as in the paper
    x = Dense(250, activation="gelu")(encoded)
    x = Dense(500, activation="gelu")(x)
    x = Dense(1000, activation="gelu")(x)
    decoded = Dense(784, activation="sigmoid")(x)
    autoencoder = Model(input_img, decoded)
    encoder = Model(input_img, encoded)
    decoder = Model(encoded, decoded)

    # 学习率从 0.001 逐渐降到 0 · The rate goes down to 0 by the last step.
    steps = epochs * int(np.ceil(len(x_train) / batch_size))
    autoencoder.compile(
        optimizer=Adam(CosineDecay(0.001, steps)),
        loss="mse",
        **common.speed_settings(autoencoder, len(x_train), batch_size, epochs),
    )
    folder = args.runs / f"network_of_2006_seed_{seed}"
    lab.train(folder, autoencoder, encoder, decoder, x_train, epochs, batch_size)
    figures.append(lab.measure(args, folder, digits))

# %% 主成分分析 · PCA, of as many numbers
pca = PCA(30, svd_solver="covariance_eigh").fit(x_train)
pca_imgs = pca.inverse_transform(pca.transform(x_test))
pca_error = np.sum((x_test - pca_imgs) ** 2, axis=1).mean()

# %% 结果 · the table, and what came out
errors = [784 * x.mse for x in figures]
label = f"784-1000-500-250-30, GELU, here ({len(seeds)} seeds)"
head = ["30 numbers", "squared error of a digit"]
rows = [
    ["784-1000-500-250-30, trained layer by layer first (2006)", "3.00"],
    [label, lab.spread(errors, 2)],
    ["logistic PCA (2006)", "8.01"],
    ["PCA (2006)", "13.87"],
    ["PCA, here", f"{pca_error:.2f}"],
]
sentences = f"""PCA's error here is {pca_error:.2f}, and 13.87 in the paper. Today's \
training from random weights ends at {lab.spread(errors, 2)}; the paper's network, trained \
layer by layer first, at 3.00."""
lab.report(args, "network_of_2006", head, rows, sentences)
