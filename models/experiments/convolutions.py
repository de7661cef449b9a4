"""What do convolutions need to do better than PCA, with the same code of 128 numbers?

The post's network, and a better one: no relu on the code, strides of 2 in place of pooling,
transposed convolutions in place of up-sampling, 16 and 32 channels. From the better one, one thing
at a time is put back. 3 epochs of Adam, with a rate that goes down to 0, three seeds. All learn from
the first 50,000 training digits; for each the rate is the one with the smallest mean loss of the
other 10,000.
"""

# %% 准备 · imports and options
import lab

import common

import math

import networks
import numpy as np
from keras import Input
from keras.layers import Conv2D, Conv2DTranspose, Cropping2D, MaxPooling2D, UpSampling2D
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
held_out = len(x_train) // 6  # 10,000 of 60,000
x_learnt = x_train[:-held_out].reshape(-1, 28, 28, 1)
x_valid = x_train[-held_out:].reshape(-1, 28, 28, 1)
digits = ((x_train[:-held_out], y_train[:-held_out]), (x_test, y_test))
epochs = 1 if args.quick else 3
rates = [0.003] if args.quick else [0.001, 0.003, 0.01, 0.03]


# %% 较好的网络，以及改回的一处 · the better network, and what is put back
def better(code_activation=None, pooling=False, up_sampling=False):
    """Build the better network, or with one thing as the post has it.

    `code_activation`: of the code. `pooling`: in place of strides. `up_sampling`: before a
    convolution, in place of a transposed one.
    """
    input_img = Input(shape=(28, 28, 1))
    x = input_img
    for channels, activation in [(16, "relu"), (32, "relu"), (8, code_activation)]:
        if pooling:
            x = Conv2D(channels, 3, padding="same", activation=activation)(x)
            x = MaxPooling2D(2, padding="same")(x)
        else:
            x = Conv2D(channels, 3, strides=2, padding="same", activation=activation)(x)
    encoded = x
    for i, channels in enumerate([32, 32, 16]):
        if up_sampling:
            x = UpSampling2D(2)(x)
            x = Conv2D(channels, 3, padding="same", activation="relu")(x)
        else:
            x = Conv2DTranspose(channels, 3, strides=2, padding="same", activation="relu")(x)
        if i == 0:
            x = Cropping2D(((0, 1), (0, 1)))(x)  # 8 × 8 变成 7 × 7 · 8 x 8 becomes 7 x 7
    decoded = Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return networks.network_of(input_img, encoded, decoded)


builders = {
    "the better network": better,
    "the post's network": networks.conv,
    "with relu on the code": lambda: better(code_activation="relu"),
    "with pooling": lambda: better(pooling=True),
    "with up-sampling": lambda: better(up_sampling=True),
}


# %% 训练；学习率在留出的图片上选择 · train; the rate is chosen on held-out digits
def train(build, rate):
    """Train a network from each seed."""
    trainings = []
    for seed in args.seeds:
        lab.set_seed(seed)
        steps = epochs * math.ceil(len(x_learnt) / 128)
        optimizer = Adam(CosineDecay(rate, steps))
        training = lab.train(
            args, build(), x_learnt, epochs, optimizer, batch_size=128, x_valid=x_valid
        )
        trainings.append(training)
    return trainings


pca = lab.measure_pca(128, digits)
figures = {}  # label to the figures from each seed
rows = []
for label, build in builders.items():
    losses = {}  # rate to the mean loss of the held-out digits
    all_trainings = {}
    for rate in rates:
        all_trainings[rate] = train(build, rate)
        losses[rate] = np.mean([x.history["val_loss"][-1] for x in all_trainings[rate]])
    print(f"{label}: held-out losses {losses}", flush=True)
    best_rate = min(losses, key=losses.get)
    trainings = all_trainings[best_rate]
    figures[label] = [lab.measure(training.folder, digits) for training in trainings]
    errors = [x.mse for x in figures[label]]
    change = "–"
    if label != "the better network":
        change = lab.error_difference(figures[label], figures["the better network"])
    of_losses = ", ".join(f"{rate}: {loss:.4f}" for rate, loss in losses.items())
    rows.append(
        [
            label,
            f"{trainings[0].parameters:,}",
            of_losses,
            lab.spread(errors, 5),
            change,
            lab.error_difference(figures[label], [pca]),
        ]
    )

# %% 结果 · the table
rows.append(["PCA", "–", "–", f"{pca.mse:.5f}", "–", "–"])
head = ["a code of 128", "weights", "rate: loss of held-out digits", "MSE"]
head += ["change from the better network", "difference from PCA's"]
lab.report(args, "convolutions", head, rows)
