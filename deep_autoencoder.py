"""多层的编码解码机: the post's deep autoencoder, trained once and split twice.

784 -> 128 -> 64 -> 32 -> 64 -> 128 (relu) -> 784 (sigmoid)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model, optimizers
from keras.callbacks import TerminateOnNaN
from keras.layers import Dense
from keras.utils import set_random_seed

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now, and
# with it nothing is learnt. Adam ends lowest at 0.0015, of 0.001, 0.002 and 0.003 too.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.0015}
# The hidden layers, named by their width; b is the second of that width.
LAYERS = ["128", "64", "32", "64b", "128b"]


def build():
    """Build the autoencoder: from (n, 784) to (n, 784), float32 in [0, 1]."""
    input_img = Input(shape=(784,))

    encoded = Dense(128, activation="relu", name="128")(input_img)
    encoded = Dense(64, activation="relu", name="64")(encoded)
    encoded = Dense(32, activation="relu", name="32")(encoded)

    decoded = Dense(64, activation="relu", name="64b")(encoded)
    decoded = Dense(128, activation="relu", name="128b")(decoded)
    decoded = Dense(784, activation="sigmoid")(decoded)

    return Model(input_img, decoded)


def split(autoencoder, layer):
    """Split the autoencoder behind one of `LAYERS`: return `(encoder, decoder)`."""
    # They are parts of the one network under names of their own: their weights are its
    # weights, so that training the autoencoder trains them too.
    encoder = Model(autoencoder.input, autoencoder.get_layer(layer).output)
    decoded = encoded_input = Input(shape=encoder.output.shape[1:])
    for decoder_layer in autoencoder.layers[len(encoder.layers) :]:
        decoded = decoder_layer(decoded)
    return encoder, Model(encoded_input, decoded)


def main(argv=None):
    parser = common.make_parser(__doc__, LEARNING_RATES, epochs=50, batch_size=256)
    parser.add_argument("--split", choices=LAYERS, default="64", help="besides at 32")
    args = parser.parse_args(argv)
    directory = args.models / "deep"
    set_random_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 784)
    x_test = x_test.reshape(len(x_test), 784)
    print(x_train.shape, x_test.shape)

    if not args.load:
        autoencoder = build()
        encoder, decoder = split(autoencoder, "32")
        autoencoder.summary()
        common.check_before_training(autoencoder, directory)
        optimizer = optimizers.get(args.optimizer)
        optimizer.learning_rate = args.learning_rate or LEARNING_RATES[args.optimizer]
        fast = common.speed_settings(autoencoder, args.epochs)
        autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=common.PROGRESS,
            callbacks=[TerminateOnNaN(), common.StopOnCtrlC()],
        )
        common.save_model(autoencoder, "autoencoder", directory)
        common.save_model(encoder, "encoder", directory)
        common.save_model(decoder, "decoder", directory)
        common.save(history.history, directory / "history.pkl")

    autoencoder = common.load_model("autoencoder", directory)
    encoder = common.load_model("encoder", directory, part_of=autoencoder)
    decoder = common.load_model("decoder", directory, part_of=autoencoder)
    history = common.load(directory / "history.pkl")

    # The post's second network is the same one, split a layer earlier, at 64.
    parts = {"32": (encoder, decoder), args.split: split(autoencoder, args.split)}
    n = 10  # how many digits to show
    codes, pcas, walks, draws, results = {}, {}, {}, {}, []
    steps, rng = np.linspace(0, 1, n)[:, np.newaxis], np.random.default_rng(args.seed)
    for layer, (encoder, decoder) in parts.items():
        encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
        decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)
        code_size = encoded_imgs.shape[1]
        pca_imgs, _ = common.pca(x_train, x_test, code_size)
        codes[f"code {layer}"], pcas[f"PCA {code_size}"] = encoded_imgs, pca_imgs
        results.append((f"split at {layer}", code_size, decoded_imgs))
        results.append((f"PCA {code_size}", code_size, pca_imgs))
        # From the first digit's code to the second's, and codes of values from any digits.
        walk = (1 - steps) * encoded_imgs[0] + steps * encoded_imgs[1]
        walks[f"mixing\ncodes {layer}"] = np.array(decoder(walk))
        random = rng.permuted(encoded_imgs, axis=0)[:n]
        draws[f"random\ncodes {layer}"] = np.array(decoder(random))
    walks["mixing\npixels"] = (1 - steps) * x_test[0] + steps * x_test[1]
    # Wherever the network is split, its reconstruction is the same.
    rows = {"original": x_test, **codes, "reconstruction": decoded_imgs, **pcas}
    common.plot_rows(rows, n, directory / "reconstructions.png")
    common.plot_rows(walks | draws, n, directory / "walk.png")
    levels = common.print_table(x_test, results, directory)
    common.plot_history(history, levels, directory / "history.png")
    if not args.no_show:
        plt.show()


if __name__ == "__main__":
    common.run(main)
