"""Small variations: does each make the network better?

The deep network with the digits in a new order in each epoch (Keras on TensorFlow repeats the
first one, once a seed is set), and with MSE as its loss; the single layer without penalty, with
the decoder's weights those of the encoder, transposed. 50 epochs of Adam, three seeds. For each
loss the rate is the best of three, as found with seed 0 on the first 50,000 training digits and
the other 10,000, by that loss.
"""

# %% 准备 · imports and options
import lab

import common

import keras
from keras import Input, Model
from keras.layers import Dense, Layer
from keras.optimizers import Adam

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
flat_test = x_test.reshape(len(x_test), 784)
epochs = 1 if args.quick else 50
rates = [0.0015] if args.quick else [0.00075, 0.0015, 0.003]
held_out = len(x_train) // 6  # 10,000 of 60,000


# %% 深层网络 · the deep network
def train_deep(x, loss, rate, seed, new_orders):
    """Train the network of deep_autoencoder.py on images x; return what was trained."""
    variables = lab.build(args, "deep", seed=seed)
    autoencoder = variables["autoencoder"]
    speed = lab.speed_settings(autoencoder, epochs)
    autoencoder.compile(optimizer=Adam(rate), loss=loss, **speed)
    network = (autoencoder, variables["encoder"], variables["decoder"])
    return lab.train(args, "deep_variation", network, x, epochs, 256, new_orders)


def best_rate(loss):
    """Return the rate with which the loss of the held-out digits is smallest."""
    losses = {}
    for rate in rates:
        trained = train_deep(x_train[:-held_out], loss, rate, 0, new_orders=False)
        losses[rate] = lab.held_out_loss(trained.folder, loss, x_train[-held_out:])
    return min(losses, key=losses.get)


# %% 解码器的层：权重是编码器权重的转置 · the decoder's layer, with the encoder's weights
class Transposed(Layer):
    """A dense layer whose weights are those of another one, transposed."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense
        self.bias = self.add_weight(shape=(784,), initializer="zeros")

    def call(self, codes):
        weights = keras.ops.transpose(self.dense.kernel)
        return keras.ops.sigmoid(keras.ops.matmul(codes, weights) + self.bias)


def train_tied(seed, epochs, x_train, x_test):
    """Train a single layer of 16 with tied weights, without penalty, on images (n, 784).

    Returns the codes of x_train and x_test, and the reconstructions of x_test.
    """
    keras.utils.set_random_seed(seed)
    input_img = Input(shape=(784,))
    dense = Dense(16, activation="relu")
    encoded = dense(input_img)
    decoded = Transposed(dense)(encoded)
    autoencoder = Model(input_img, decoded)
    speed = lab.speed_settings(autoencoder, epochs)
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy", **speed)
    autoencoder.fit(x_train, x_train, 256, epochs, verbose=0)
    encoder = Model(input_img, encoded)
    codes_train = encoder.predict(x_train, batch_size=1000, verbose=0)
    codes_test = encoder.predict(x_test, batch_size=1000, verbose=0)
    return codes_train, codes_test, autoencoder.predict(x_test, batch_size=1000, verbose=0)


train_tied_once = lab.remember(args, train_tied)


# %% 训练 · train
rate = best_rate("binary_crossentropy")
mse_rate = best_rate("mse")
reached = {
    f"deep, cross-entropy, rate {rate}": [],
    "the first, a new order of the images in each epoch": [],
    f"the first, MSE as the loss, rate {mse_rate}": [],
    "single layer, decoder with weights of its own": [],
    "the same, with the encoder's weights": [],
}
deep, orders, mse, single, tied = reached
for seed in args.seeds:
    trained = {
        deep: train_deep(x_train, "binary_crossentropy", rate, seed, new_orders=False),
        orders: train_deep(x_train, "binary_crossentropy", rate, seed, new_orders=True),
        mse: train_deep(x_train, "mse", mse_rate, seed, new_orders=False),
    }
    for label, network in trained.items():
        reached[label].append(lab.measure(args, network.folder, digits))
    untied = lab.run(args, "simple", optimizer="adam", l1=0, seed=seed)
    reached[single].append(lab.measure(args, untied.folder, digits))
    codes_train, codes_test, images = train_tied_once(seed, epochs, x_train, flat_test)
    reached[tied].append(lab.figures_of(args, codes_train, codes_test, images, digits))

# %% 结果 · the table
head = ["50 epochs of Adam", "cross-entropy", "change", "MSE", "change"]
rows = []
for label, compared in [(deep, None), (orders, deep), (mse, deep), (single, None), (tied, single)]:
    entropies = [x.cross_entropy for x in reached[label]]
    errors = [x.mse for x in reached[label]]
    entropy_change = "–"
    error_change = "–"
    if compared is not None:
        entropy_change = lab.difference(entropies, [x.cross_entropy for x in reached[compared]], 4)
        error_change = lab.difference(errors, [x.mse for x in reached[compared]], 5)
    row = [label, lab.spread(entropies, 4), entropy_change, lab.spread(errors, 5), error_change]
    rows.append(row)
lab.report(args, "variations", head, rows)
