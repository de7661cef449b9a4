"""卷积神经网络的autoencoder: the post's convolutional autoencoder.

(28, 28, 1) -> 3 x (Conv2D, MaxPooling2D) -> (4, 4, 8)
-> 3 x (Conv2D, UpSampling2D) -> Conv2D (sigmoid) -> (28, 28, 1)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
from keras import Input, Model
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now,
# and with it nothing is learnt.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.005}


def build():
    """Build the autoencoder, and the encoder and the decoder that share its layers.

    Returns:
        `(autoencoder, encoder, decoder)`: models from (n, 28, 28, 1) to (n, 28, 28, 1),
        from (n, 28, 28, 1) to (n, 4, 4, 8), and from there to (n, 28, 28, 1); all
        values float32, digits in [0, 1], codes from 0 up.
    """
    input_img = Input(shape=(28, 28, 1))

    x = Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = MaxPooling2D((2, 2), padding="same")(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    encoded = MaxPooling2D((2, 2), padding="same")(x)

    # The code is (4, 4, 8): 128 values.

    x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
    x = UpSampling2D((2, 2))(x)
    x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
    x = UpSampling2D((2, 2))(x)
    # Without padding 16 x 16 becomes 14 x 14, so that it ends at 28 x 28.
    x = Conv2D(16, (3, 3), activation="relu")(x)
    x = UpSampling2D((2, 2))(x)
    decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

    autoencoder = Model(input_img, decoded)

    # The post mentions the encoder only; both halves are the same layers once more.
    encoder = Model(input_img, encoded)
    encoded_input = Input(shape=(4, 4, 8))
    x = encoded_input
    for decoder_layer in autoencoder.layers[7:]:
        x = decoder_layer(x)
    decoder = Model(encoded_input, x)
    return autoencoder, encoder, decoder


def main(argv=None):
    parser = common.options(
        __doc__, epochs=1, batch_size=128, learning_rates=LEARNING_RATES
    )
    args = parser.parse_args(argv)
    directory = common.output_folder(args, "conv")
    common.set_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 28, 28, 1)
    x_test = x_test.reshape(len(x_test), 28, 28, 1)
    print(x_train.shape)
    print(x_test.shape)

    if not args.load:
        autoencoder, encoder, decoder = build()
        autoencoder.summary()
        autoencoder.compile(
            optimizer=common.optimizer(args, LEARNING_RATES),
            loss="binary_crossentropy",
            # No XLA here: on a CPU its convolutions are the slower ones.
            **common.speed(args.epochs),
        )
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=common.PROGRESS,
            # TensorFlow no longer brings the package tensorboard along.
            callbacks=[common.Watch(), *common.tensorboard(directory / "logs")],
        )
        common.plot_history(history.history, directory / "history.png")
        saved = common.save_models(
            directory, autoencoder=autoencoder, encoder=encoder, decoder=decoder
        )

    if args.load or saved:
        autoencoder, encoder, decoder = common.load_models(
            directory, "autoencoder", "encoder", "decoder"
        )
    if args.load:
        autoencoder.summary()
    encoded_imgs = encoder.predict(x_test, args.batch_size, common.PROGRESS)
    decoded_imgs = decoder.predict(encoded_imgs, args.batch_size, common.PROGRESS)
    code_size = encoded_imgs[0].size
    pca_imgs = common.fit_pca(x_train)(x_test, code_size)

    n = 10  # how many digits to show
    common.plot_reconstructions(
        [
            ("original", x_test[:n], 1),
            ("code", encoded_imgs[:n], None),
            ("reconstruction", decoded_imgs[:n], 1),
            (f"PCA {code_size}", pca_imgs[:n], 1),
        ],
        directory / "reconstructions.png",
    )
    common.plot_model(autoencoder, directory / "model.png")
    common.report(
        x_test,
        [("autoencoder", code_size, decoded_imgs), ("PCA", code_size, pca_imgs)],
    )
    common.show_pictures(args, directory)


if __name__ == "__main__":
    common.run(main)
