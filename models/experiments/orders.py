"""What does it cost that Keras repeats the order of the digits?

Once a seed is set, Keras on TensorFlow shuffles once, and each epoch meets the digits in
the same order. Here the deep network gets an order of its own in each epoch.
"""

# %% 准备 · imports and options
import lab

import common

from keras import Input, Model
from keras.layers import Dense
from keras.optimizers import Adam

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
seeds = [0] if args.quick else [0, 1, 2]
epochs = 1 if args.quick else 50

# %% 训练 · train, with the script's order and with orders of their own
one_order = []
own_orders = []
for seed in seeds:
    folder = lab.run(args, "deep", f"--optimizer adam --epochs 50 --seed {seed}")
    one_order.append(lab.measure(args, folder, digits))

    # 与脚本的网络相同；lab.train 每轮都重新打乱 · The script's network; lab.train shuffles anew.
    common.set_seed(seed)
    input_img = Input(shape=(784,))
    encoded = Dense(128, activation="relu")(input_img)
    encoded = Dense(64, activation="relu")(encoded)
    encoded = Dense(32, activation="relu")(encoded)
    decoded = Dense(64, activation="relu")(encoded)
    decoded = Dense(128, activation="relu")(decoded)
    decoded = Dense(784, activation="sigmoid")(decoded)
    autoencoder = Model(input_img, decoded)
    encoder = Model(input_img, encoded)
    decoder = Model(encoded, decoded)
    autoencoder.compile(
        optimizer=Adam(learning_rate=0.0015),  # as in deep_autoencoder.py
        loss="binary_crossentropy",
        **common.speed_settings(autoencoder, len(x_train), 256, epochs),
    )
    folder = args.runs / f"deep_in_own_orders_seed_{seed}"
    lab.train(folder, autoencoder, encoder, decoder, x_train, epochs, batch_size=256)
    own_orders.append(lab.measure(args, folder, digits))

# %% 结果 · the table, and what came out
head = ["deep, 50 epochs of Adam", "seeds", "cross-entropy", "MSE"]
rows = []
entropies = {}
for label, figures in {"one order": one_order, "an order an epoch": own_orders}.items():
    entropies[label] = lab.spread([x.cross_entropy for x in figures], 4)
    mse = lab.spread([x.mse for x in figures], 5)
    rows.append([label, str(len(figures)), entropies[label], mse])
sentences = f"""With one order for all epochs the cross-entropy is {entropies["one order"]}, \
and with an order of its own for each epoch it is {entropies["an order an epoch"]}."""
lab.report(args, "orders", head, rows, sentences)
