"""The post's three networks, as the three scripts build them, and what the experiments change.

Each function returns the whole network, its encoder and its decoder, from the same layers.
"""

from keras import Input, Model
from keras.layers import Conv2D, Dense, Dropout, MaxPooling2D, UpSampling2D
from keras.regularizers import L1


def simple(size=16, activation="relu", penalty=0.0001, noise=0, output="sigmoid"):
    """Build the network of simple_autoencoder.py, with a code of `size` numbers.

    `activation`: of the code. `penalty`: L1, on the code. `noise`: the share of pixels that are
    left out of the input while it learns. `output`: the activation of the images.
    """
    input_img = Input(shape=(784,))
    x = input_img
    if noise:
        x = Dropout(noise)(x)
    encoded = Dense(size, activation=activation, activity_regularizer=L1(penalty))(x)
    decoded = Dense(784, activation=output)(encoded)
    return network_of(input_img, encoded, decoded)


def deep(size=32, activation="relu"):
    """Build the network of deep_autoencoder.py, with a code of `size` numbers."""
    input_img = Input(shape=(784,))
    x = Dense(128, activation="relu")(input_img)
    x = Dense(64, activation="relu")(x)
    encoded = Dense(size, activation=activation)(x)
    x = Dense(64, activation="relu")(encoded)
    x = Dense(128, activation="relu")(x)
    decoded = Dense(784, activation="sigmoid")(x)
    return network_of(input_img, encoded, decoded)


def conv():
    """Build the network of conv_autoencoder.py."""
    input_img = Input(shape=(28, 28, 1))
    x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    encoded = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
    x = UpSampling2D((2, 2))(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = UpSampling2D((2, 2))(x)
    x = Conv2D(16, (3, 3), activation="relu")(x)
    x = UpSampling2D((2, 2))(x)
    decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    return network_of(input_img, encoded, decoded)


def network_of(input_img, encoded, decoded):
    """Return the whole network, the encoder and the decoder."""
    return Model(input_img, decoded), Model(input_img, encoded), Model(encoded, decoded)
