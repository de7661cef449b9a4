"""卷积神经网络的autoencoder: the post's convolutional autoencoder.

(28, 28, 1) -> 6 layers -> a code of (4, 4, 8) -> 7 layers -> (28, 28, 1)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
import matplotlib.pyplot as plt
from keras import Input, Model, optimizers
from keras.callbacks import TerminateOnNaN
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D
from keras.utils import set_random_seed

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now, and
# with it nothing is learnt. In one epoch Adam gets further at 0.005 than at its 0.001.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.005}


def build():
    """Build the autoencoder, and the encoder and the decoder that are parts of it.

    Returns:
        `(autoencoder, encoder, decoder)`: models from (n, 28, 28, 1) to the same, from
        there to (n, 4, 4, 8), and back; float32, digits in [0, 1], codes from 0 up.
    """
    input_img = Input(shape=(28, 28, 1))

    x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    encoded = MaxPooling2D((2, 2), padding="same")(x)  # (4, 4, 8): 128 values

    x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
    x = UpSampling2D((2, 2))(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = UpSampling2D((2, 2))(x)
    # Without padding 16 x 16 becomes 14 x 14, so that it ends at 28 x 28.
    x = Conv2D(16, (3, 3), activation="relu")(x)
    x = UpSampling2D((2, 2))(x)
    decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

    autoencoder = Model(input_img, decoded)
    # Encoder and decoder are parts of the one network under names of their own: the layers
    # up to the code, and those behind it, on an input of their own.
    encoder = Model(input_img, encoded)
    x = encoded_input = Input(shape=encoder.output.shape[1:])
    for decoder_layer in autoencoder.layers[len(encoder.layers) :]:
        x = decoder_layer(x)
    decoder = Model(encoded_input, x)
    return autoencoder, encoder, decoder


def main(argv=None):
    parser = common.make_parser(__doc__, LEARNING_RATES, epochs=1, batch_size=128)
    args = parser.parse_args(argv)
    directory = args.models / "conv"
    set_random_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 28, 28, 1)
    x_test = x_test.reshape(len(x_test), 28, 28, 1)
    print(x_train.shape, x_test.shape)

    if not args.load:
        autoencoder, encoder, decoder = build()
        autoencoder.summary()
        common.check_before_training(autoencoder, directory)
        optimizer = optimizers.get(args.optimizer)
        optimizer.learning_rate = args.learning_rate or LEARNING_RATES[args.optimizer]
        fast = common.speed_settings(autoencoder, args.epochs)
        logs = common.tensorboard(directory / "logs")
        autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=common.PROGRESS,
            callbacks=[TerminateOnNaN(), common.StopOnCtrlC(), *logs],
        )
        common.save_model(autoencoder, "autoencoder", directory)
        common.save_model(encoder, "encoder", directory)
        common.save_model(decoder, "decoder", directory)
        common.save(history.history, directory / "history.pkl")

    autoencoder = common.load_model("autoencoder", directory)
    encoder = common.load_model("encoder", directory, part_of=autoencoder)
    decoder = common.load_model("decoder", directory, part_of=autoencoder)
    history = common.load(directory / "history.pkl")
    encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
    decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)
    code_size = encoded_imgs[0].size
    pca_imgs, _ = common.pca(x_train, x_test, code_size)
    n = 10  # how many digits to show
    rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
    rows[f"PCA {code_size}"] = pca_imgs
    common.plot_rows(rows, n, directory / "reconstructions.png")
    common.plot_model(autoencoder, directory / "model.png")
    # A digit on its way through all layers: a row for each, with its maps side by side.
    encoding = Model(encoder.input, [layer.output for layer in encoder.layers])
    decoding = Model(decoder.input, [layer.output for layer in decoder.layers[1:]])
    outputs = encoding.predict(x_test[:1], verbose=0)
    outputs += decoding.predict(encoded_imgs[:1], verbose=0)
    rows, layers = {}, encoder.layers + decoder.layers[1:]
    for layer, (maps,) in zip(layers, outputs, strict=True):
        mark = "code\n" if layer is encoder.layers[-1] else ""
        label, maps = f"{mark}{layer.name}\n{maps.shape}", maps / (maps.max() or 1)
        rows[label] = maps.transpose(2, 0, 1) if maps.ndim == 3 else [maps]
    common.plot_rows(rows, 16, directory / "layers.png")
    results = [("autoencoder", code_size, decoded_imgs), ("PCA", code_size, pca_imgs)]
    levels = common.print_table(x_test, results, directory)
    common.plot_history(history, levels, directory / "history.png")
    if not args.no_show:
        plt.show()


if __name__ == "__main__":
    common.run(main)
