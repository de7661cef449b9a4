"""How close does today's training come to the network of 2006?

G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data with neural
networks", Science 313, 2006, figure 2B, report the squared error of MNIST's test digits from
30 numbers. They trained the network layer by layer first. Here it starts from random weights:
GELU, MSE, 50 epochs of Adam, with a rate that goes down, and a new order of the digits in each.
"""

# %% 准备 · imports and options
import lab

import common

import math

from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
epochs = 1 if args.quick else 50

# %% 训练 · train the network from each seed
errors = []
for seed in args.seeds:
    lab.set_seed(seed)
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
    # 学习率从 0.001 逐渐降到 0 · The rate goes down from 0.001 to 0 by the last step.
    steps = epochs * math.ceil(len(x_train) / 128)
    autoencoder.compile(
        optimizer=Adam(CosineDecay(0.001, steps)),
        loss="mse",
        **lab.speed_settings(autoencoder, epochs),
    )
    network = (autoencoder, Model(input_img, encoded), Model(encoded, decoded))
    trained = lab.train(args, "network_of_2006", network, x_train, epochs, 128)
    errors.append(784 * lab.measure(args, trained.folder, digits).mse)

# %% 结果 · the table
pca = lab.measure_pca(args, 30, digits)
head = ["30 numbers", "squared error of a digit"]
error_of_2006 = 3.00
rows = [
    ["784-1000-500-250-30, trained layer by layer first (2006)", f"{error_of_2006:.2f}"],
    ["784-1000-500-250-30, GELU, here", lab.spread(errors, 2)],
    ["logistic PCA (2006)", "8.01"],
    ["PCA (2006)", "13.87"],
    ["PCA, here", f"{784 * pca.mse:.2f}"],
]
difference = lab.difference(errors, len(errors) * [error_of_2006], 2)
sentence = f"The network's error here differs from that of 2006 by {difference}."
lab.report(args, "network_of_2006", head, rows, sentence)
