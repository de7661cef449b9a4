"""What do convolutions need to do better than PCA, with the same code of 128 numbers?

From the post's network to a better one, one change after the other: no relu on the code,
strides of 2 in place of pooling, transposed convolutions in place of up-sampling, more channels.
All are trained for 6 epochs of Adam, with a rate that goes down to 0 and a new order of the
digits in each epoch, from three seeds. For each network the first rate is the best one of three,
as found with the same seeds on the first 50,000 training digits and the other 10,000.
"""

# %% 准备 · imports and options
import lab

import common

import math

import numpy as np
from keras import Input, Model
from keras.layers import Conv2D, Conv2DTranspose, Cropping2D, MaxPooling2D, UpSampling2D
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 28, 28, 1)
epochs = 1 if args.quick else 6
rates = [0.003] if args.quick else [0.003, 0.01, 0.03]
batch_size = 128
held_out = len(x_train) // 6  # 10,000 of 60,000


# %% 网络 · the networks
def encode(images, pooling, activation, outer, inner):
    """Return the code of images, (4, 4, 8), by pooling or by strides of 2.

    `activation`: of the code. `outer`, `inner`: channels of the first and the second convolution.
    """
    settings = [(outer, "relu"), (inner, "relu"), (8, activation)]
    x = images
    for channels, layer_activation in settings:
        if pooling:
            x = Conv2D(channels, 3, padding="same", activation=layer_activation)(x)
            x = MaxPooling2D(2, padding="same")(x)
        else:
            x = Conv2D(channels, 3, strides=2, padding="same", activation=layer_activation)(x)
    return x


def decode(codes, up_sampling, outer, inner):
    """Return images decoded from codes, by up-sampling or by transposed convolutions."""
    if up_sampling:
        x = Conv2D(inner, 3, padding="same", activation="relu")(codes)
        x = UpSampling2D(2)(x)
        x = Conv2D(inner, 3, padding="same", activation="relu")(x)
        x = UpSampling2D(2)(x)
        x = Conv2D(outer, 3, activation="relu")(x)  # without padding, 16 x 16 becomes 14 x 14
        x = UpSampling2D(2)(x)
    else:
        x = Conv2DTranspose(inner, 3, strides=2, padding="same", activation="relu")(codes)
        x = Cropping2D(((0, 1), (0, 1)))(x)  # 8 x 8 becomes 7 x 7
        x = Conv2DTranspose(inner, 3, strides=2, padding="same", activation="relu")(x)
        x = Conv2DTranspose(outer, 3, strides=2, padding="same", activation="relu")(x)
    return Conv2D(1, 3, padding="same", activation="sigmoid")(x)


def train(settings, x, rate, seed):
    """Train a network on images x; return what was trained, and how many weights it has."""
    pooling, activation, up_sampling, outer, inner = settings
    lab.set_seed(seed)
    input_img = Input(shape=(28, 28, 1))
    encoded = encode(input_img, pooling, activation, outer, inner)
    decoded = decode(encoded, up_sampling, outer, inner)
    autoencoder = Model(input_img, decoded)
    # 学习率逐渐降到 0 · The rate goes down to 0 by the last step.
    steps = epochs * math.ceil(len(x) / batch_size)
    autoencoder.compile(
        optimizer=Adam(CosineDecay(rate, steps)),
        loss="binary_crossentropy",
        **lab.speed_settings(autoencoder, epochs),
    )
    network = (autoencoder, Model(input_img, encoded), Model(encoded, decoded))
    trained = lab.train(args, "convolutions", network, x, epochs, batch_size)
    return trained, autoencoder.count_params()


# 每项：池化、编码的激活函数、上采样、外层和内层的通道数；编码总是 8 个通道。
# Each has pooling, the code's activation, up-sampling, and outer and inner channels; a code
# always has 8.
all_settings = {
    "the post's layers": (True, "relu", True, 16, 8),
    "no relu on the code": (True, None, True, 16, 8),
    "and strides in place of pooling": (False, None, True, 16, 8),
    "and transposed convolutions in place of up-sampling": (False, None, False, 16, 8),
    "and 16 and 32 channels": (False, None, False, 16, 32),
    "and 32 and 64 channels": (False, None, False, 32, 64),
}
if args.quick:
    all_settings = dict(list(all_settings.items())[::3])

# %% 学习率在留出的训练图片上选择；再用全部图片训练 · choose rates on held-out digits; train
rows = []
errors = {}  # label to the MSE from each seed
for label, settings in all_settings.items():
    losses = {}  # of the held-out digits, the mean over the seeds
    for rate in rates:
        of_seeds = []
        for seed in args.seeds:
            trained, parameters = train(settings, x_train[:-held_out], rate, seed)
            loss = lab.held_out_loss(trained.folder, "binary_crossentropy", x_train[-held_out:])
            of_seeds.append(loss)
        losses[rate] = np.mean(of_seeds)
        print(f"{label}, {rate}: held-out losses {of_seeds}", flush=True)
    best_rate = min(losses, key=losses.get)
    errors[label] = []
    for seed in args.seeds:
        trained, parameters = train(settings, x_train, best_rate, seed)
        errors[label].append(lab.measure(args, trained.folder, digits).mse)
    rows.append([label, f"{parameters:,}", str(best_rate), lab.spread(errors[label], 5)])

# %% 每一步的差，与 PCA 的差 · what each step changes, and the difference from PCA
pca = lab.measure_pca(args, 128, digits)
previous = None
for row in rows:
    label = row[0]
    change = "–"
    if previous is not None:
        change = lab.difference(errors[label], errors[previous], 5)
    row.append(change)
    row.append(lab.difference(errors[label], len(args.seeds) * [pca.mse], 5))
    previous = label

# %% 结果 · the table
rows.append(["PCA", "–", "–", f"{pca.mse:.5f}", "–", "–"])
head = ["a code of 128", "parameters", "rate", "MSE", "change of the MSE", "difference from PCA's"]
lab.report(args, "convolutions", head, rows)
