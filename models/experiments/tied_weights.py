"""Should the decoder's weights be the encoder's, transposed?

The single layer of 16 numbers, without penalty; 50 epochs of Adam, three seeds.
"""

# %% 准备 · imports and options
import lab

import common

import time

import keras
import numpy as np
from keras import Input, Model
from keras.layers import Dense, Layer

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
seeds = [0] if args.quick else [0, 1, 2]
epochs = 1 if args.quick else 50


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


# %% 训练 · train, with the digits in the same order as in simple_autoencoder.py
tied = []
for seed in seeds:
    common.set_seed(seed)
    input_img = Input(shape=(784,))
    dense = Dense(16, activation="relu")
    encoded = dense(input_img)
    transposed = Transposed(dense)
    autoencoder = Model(input_img, transposed(encoded))
    autoencoder.compile(
        optimizer="adam",
        loss="binary_crossentropy",
        **common.speed_settings(autoencoder, len(x_train), 256, epochs),
    )
    folder = args.runs / f"tied_seed_{seed}"
    if not (folder / "seconds.txt").exists():
        print(f"Training {folder.name}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        autoencoder.fit(x_train, x_train, epochs=epochs, batch_size=256, verbose=0)
        # 保存时换成普通的层，权重相同 · To be saved, a usual layer gets the same weights.
        usual = Dense(784, activation="sigmoid")
        decoder = Model(encoded, usual(encoded))
        usual.set_weights([dense.get_weights()[0].T, transposed.bias.numpy()])
        common.save_model(Model(input_img, encoded), "encoder", folder)
        common.save_model(decoder, "decoder", folder)
        (folder / "seconds.txt").write_text(str(time.perf_counter() - start))
    tied.append(lab.measure(args, folder, digits))
parameters = 784 * 16 + 16 + 784

# %% 权重不共用 · with weights of its own
untied = []
for seed in seeds:
    options = "--optimizer adam --l1 0 --encoding-dim 16"
    if seed > 0:
        options += f" --seed {seed}"
    folder = lab.run(args, "simple", options)
    untied.append(lab.measure(args, folder, digits))
untied_parameters = common.load_model("autoencoder", folder).count_params()

# %% 结果 · the table, and what came out
head = [
    "single layer, 16 numbers, no penalty",
    "seeds",
    "parameters",
    "cross-entropy",
    "MSE",
]
rows = []
for label, count, figures in [
    ("tied", parameters, tied),
    ("untied", untied_parameters, untied),
]:
    entropy = lab.spread([x.cross_entropy for x in figures], 4)
    mse = lab.spread([x.mse for x in figures], 5)
    rows.append([label, str(len(seeds)), f"{count:,}", entropy, mse])
ratio = np.mean([x.mse for x in tied]) / np.mean([x.mse for x in untied])
sentences = f"""Tied weights save half of the weights. The MSE is {ratio:.2f} times that of the \
network whose decoder has its own weights."""
lab.report(args, "tied_weights", head, rows, sentences)
