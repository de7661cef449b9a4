"""最简单的单层编码解码机: the post's simplest autoencoder, with one hidden layer.

784 -> 16 (relu, L1 activity penalty) -> 784 (sigmoid)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
from keras import Input, Model, regularizers
from keras.layers import Dense

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now,
# and with it the loss is still where it began after 50 epochs.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.001}


def build(encoding_dim=16, l1=10e-5):
    """Build the autoencoder, and the encoder and the decoder that share its layers.

    Args:
        encoding_dim: int, size of the code; the input has 784 values.
        l1: float, weight of the penalty on the code's absolute values; 0 for none.

    Returns:
        `(autoencoder, encoder, decoder)`: models from (n, 784) to (n, 784), from
        (n, 784) to (n, encoding_dim), and from there to (n, 784); all values float32,
        digits in [0, 1], codes from 0 up.
    """
    input_img = Input(shape=(784,))
    # The penalty makes the code sparse; without it, the result is close to PCA's.
    # Keras before 3.14 added it up over the batch: 256 times as strong as meant here.
    penalty = regularizers.L1(l1) if l1 else None
    encoded = Dense(encoding_dim, activation="relu", activity_regularizer=penalty)(
        input_img
    )
    decoded = Dense(784, activation="sigmoid")(encoded)

    autoencoder = Model(input_img, decoded)
    encoder = Model(input_img, encoded)

    # The decoder is the autoencoder's last layer, on an input of its own.
    encoded_input = Input(shape=(encoding_dim,))
    decoder_layer = autoencoder.layers[-1]
    decoder = Model(encoded_input, decoder_layer(encoded_input))
    return autoencoder, encoder, decoder


def main(argv=None):
    parser = common.options(
        __doc__, epochs=50, batch_size=256, learning_rates=LEARNING_RATES
    )
    parser.add_argument(
        "--encoding-dim",
        type=common.number(int, 1, 10_000),
        default=16,
        help="size of the code (default: %(default)s)",
    )
    parser.add_argument(
        "--l1",
        type=common.number(float, 0, 1000),
        default=10e-5,
        help="weight of the penalty on the code, 0 for none (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    directory = common.output_folder(args, "simple")
    common.set_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 784)
    x_test = x_test.reshape(len(x_test), 784)
    print(x_train.shape)
    print(x_test.shape)

    if not args.load:
        autoencoder, encoder, decoder = build(args.encoding_dim, args.l1)
        autoencoder.summary()
        autoencoder.compile(
            optimizer=common.optimizer(args, LEARNING_RATES),
            loss="binary_crossentropy",
            # XLA makes such small dense layers faster; the losses stay the same.
            **common.speed(args.epochs, xla=True),
        )
        # The input is its own label: this is called self-supervised learning.
        history = autoencoder.fit(
            x_train,
            x_train,
            epochs=args.epochs,
            batch_size=args.batch_size,
            shuffle=True,
            validation_data=(x_test, x_test),
            verbose=common.PROGRESS,
            callbacks=[common.Watch()],
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

    n = 12  # how many digits to show
    common.plot_reconstructions(
        [
            ("original", x_test[:n], 1),
            ("code", encoded_imgs[:n], None),
            ("reconstruction", decoded_imgs[:n], 1),
            (f"PCA {code_size}", pca_imgs[:n], 1),
        ],
        directory / "reconstructions.png",
    )
    common.report(
        x_test,
        [("autoencoder", code_size, decoded_imgs), ("PCA", code_size, pca_imgs)],
    )
    common.show_pictures(args, directory)


if __name__ == "__main__":
    common.run(main)
