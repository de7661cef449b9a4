"""Which of the post's claims about the single layer are true?

It says that without penalty a single layer is much like PCA, that the penalty makes codes sparser,
and that a hidden layer wider than the input works too. In its own Keras the penalty was summed
over a batch, not averaged: 256 times as strong, 0.0256. 50 epochs, five seeds; codes of 1,000
numbers, which take long, 10 epochs and three seeds.
"""

# %% 准备 · imports and options
import lab

import common

import keras
import networks
import numpy as np
from keras import Input, Model
from keras.layers import Dense, Layer
from keras.optimizers import Adadelta, Adam
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)


# %% 训练：惩罚、激活函数、优化器 · train, with penalties, activations, optimizers
def train(seeds, epochs, optimizer, rate, loss="binary_crossentropy", **options):
    """Train a single layer from each seed; `options` are those of `networks.simple`."""
    trainings = []
    for seed in seeds:
        lab.set_seed(seed)
        network = networks.simple(**options)
        trainings.append(lab.train(args, network, x_train, epochs, optimizer(rate), loss=loss))
    return trainings


five = args.five_seeds
trained = {}  # label to a training from each seed
for name, optimizer, rate in [("Adadelta", Adadelta, 1.0), ("Adam", Adam, 0.001)]:
    for penalty in (0, 0.0001, 0.0256):
        label = f"relu, penalty {penalty}, {name}"
        trained[label] = train(five, 50, optimizer, rate, penalty=penalty)
    label = f"linear code, {name}"
    trained[label] = train(five, 50, optimizer, rate, activation=None, penalty=0)
label = "linear code, MSE as the loss, Adam"
trained[label] = train(five, 50, Adam, 0.001, loss="mse", activation=None, penalty=0)
label = "linear code and images, MSE as the loss, Adam"
trained[label] = train(five, 50, Adam, 0.001, loss="mse", activation=None, penalty=0, output=None)
for penalty in (0, 0.0001):
    label = f"1000 numbers, relu, penalty {penalty}, Adam, 10 epochs"
    trained[label] = train(args.seeds, 10, Adam, 0.001, size=1000, penalty=penalty)


# %% 解码器的权重是编码器权重的转置 · the decoder's weights are the encoder's, transposed
class Transposed(Layer):
    """The decoder's layer, whose weights are those of the encoder's."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense
        self.bias = self.add_weight(shape=(784,), initializer="zeros")

    def call(self, codes):
        weights = keras.ops.transpose(self.dense.kernel)
        return keras.ops.sigmoid(keras.ops.matmul(codes, weights) + self.bias)


tied_epochs = 1 if args.quick else 50


def train_tied(seed):
    """Train a single layer with such weights, without penalty; return its codes and images."""
    lab.set_seed(seed)
    input_img = Input(shape=(784,))
    dense = Dense(16, activation="relu")
    encoded = dense(input_img)
    encoder = Model(input_img, encoded)
    autoencoder = Model(input_img, Transposed(dense)(encoded))
    autoencoder.compile(Adam(0.001), "binary_crossentropy", steps_per_execution=47)
    autoencoder.fit(x_train, x_train, 256, tied_epochs, verbose=0)
    codes_train = encoder.predict(x_train, batch_size=1000, verbose=0)
    codes_test = encoder.predict(x_test, batch_size=1000, verbose=0)
    return codes_train, codes_test, autoencoder.predict(x_test, batch_size=1000, verbose=0)


# %% 误差、稀疏，与 PCA 的编码相像吗 · errors, zeros, and how much codes are like PCA's
pca_train, pca_codes, pca_imgs = common.pca(x_train, x_test, 16)
pca = lab.figures_of(pca_train, pca_codes, pca_imgs, digits)


def explained(codes_train, codes_test):
    """Return how much of the variance of PCA's codes follows linearly from these, in percent."""
    line = LinearRegression().fit(codes_train, pca_train)
    share = r2_score(pca_codes, line.predict(codes_test), multioutput="variance_weighted")
    return 100 * share


all_codes = {}  # label to a tuple from each seed: codes of both parts, and images
for label, trainings in trained.items():
    all_codes[label] = []
    for training in trainings:
        codes_train = lab.encode(training.folder, x_train)
        codes_test = lab.encode(training.folder, x_test)
        images = lab.decode(training.folder, codes_test)
        all_codes[label].append((codes_train, codes_test, images))
all_codes["relu, tied weights, Adam"] = [train_tied(seed) for seed in five]
all_codes["relu, untrained"] = []
for seed in five:
    lab.set_seed(seed)
    autoencoder, encoder, decoder = networks.simple()
    codes_train = encoder.predict(x_train, batch_size=1000, verbose=0)
    codes_test = encoder.predict(x_test, batch_size=1000, verbose=0)
    images = decoder.predict(codes_test, batch_size=1000, verbose=0)
    all_codes["relu, untrained"].append((codes_train, codes_test, images))

head = ["single layer", "MSE", "difference from PCA's", "1-NN accuracy, %"]
head += ["of PCA's codes explained, %", "zeros, %", "dead numbers", "numbers above 0 in a code"]
rows = []
figures = {}  # label to the figures from each seed
zeros = {}  # label to the zeros of numbers that are not dead, in percent, from each seed
for label, of_seeds in all_codes.items():
    figures[label] = []
    shares = []
    zeros[label] = []
    dead = []
    above = []
    for codes_train, codes_test, images in of_seeds:
        figures[label].append(lab.figures_of(codes_train, codes_test, images, digits))
        shares.append(explained(codes_train, codes_test))
        # 死单元：对每张训练图片都是 0；它们不算稀疏 · dead: 0 for every training digit, not sparse
        alive = codes_train.any(axis=0)
        dead.append(np.sum(~alive))
        above.append(np.mean(np.sum(codes_test > 0, axis=1)))
        if alive.any():
            zeros[label].append(100 * np.mean(codes_test[:, alive] == 0))
    to_pca = "–"
    share = "–"  # 1000 个数总能解释 · 1,000 numbers explain them in any case
    if figures[label][0].size == 16:
        to_pca = lab.error_difference(figures[label], [pca])
        share = lab.spread(shares, 1)
    zeros_text = "–"
    if zeros[label]:
        zeros_text = lab.spread(zeros[label], 1)
    rows.append(
        [
            label,
            lab.spread([x.mse for x in figures[label]], 5),
            to_pca,
            lab.spread([x.accuracy for x in figures[label]], 1),
            share,
            zeros_text,
            lab.spread(dead, 1),
            lab.spread(above, 1),
        ]
    )
rows.append(["PCA, 16", f"{pca.mse:.5f}", "–", f"{pca.accuracy:.1f}"] + 4 * ["–"])
mean_error = np.mean(lab.errors_of(x_test, x_train.mean(axis=0)))
rows.append(["the mean of all training digits", f"{mean_error:.5f}"] + 6 * ["–"])

# %% 结果 · the table, and what the penalty changes
sentences = []
for start, end in [
    ("relu", "Adadelta"),
    ("relu", "Adam"),
    ("1000 numbers, relu", "Adam, 10 epochs"),
]:
    without = f"{start}, penalty 0, {end}"
    with_penalty = f"{start}, penalty 0.0001, {end}"
    of_errors = lab.error_difference(figures[with_penalty], figures[without])
    of_zeros = lab.difference(zeros[with_penalty], zeros[without], 1)
    sentences.append(
        f"{start}, {end}: the penalty of 0.0001 changes the MSE by {of_errors}, the zeros by "
        f"{of_zeros} points."
    )
tied = lab.error_difference(figures["relu, tied weights, Adam"], figures["relu, penalty 0, Adam"])
sentences.append(f"Tied weights change the MSE by {tied}.")
lab.report(args, "claims", head, rows, "\n".join(sentences))
