"""多层的编码解码机: the post's deep autoencoder, trained once and split twice.

784 -> 128 -> 64 -> 32 -> 64 -> 128 (relu) -> 784 (sigmoid)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
from keras import Input, Model
from keras.layers import Dense

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now,
# and with it nothing is learnt.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.0015}

# The five hidden layers by their width, each with its place in `autoencoder.layers`.
# The decoding side has two widths again: b stands for the second of that width.
SPLITS = {"128": 1, "64": 2, "32": 3, "64b": 4, "128b": 5}


def build(encoding_dim=32):
    """Build the whole network.

    Args:
        encoding_dim: int, width of the middle layer.

    Returns:
        A model from (n, 784) to (n, 784), float32, digits in [0, 1].
    """
    input_img = Input(shape=(784,))

    encoded = Dense(128, activation="relu")(input_img)
    encoded = Dense(64, activation="relu")(encoded)
    encoded = Dense(encoding_dim, activation="relu")(encoded)

    decoded = Dense(64, activation="relu")(encoded)
    decoded = Dense(128, activation="relu")(decoded)
    decoded = Dense(784, activation="sigmoid")(decoded)

    return Model(input_img, decoded)


def split(autoencoder, layer):
    """Split a network behind one of its hidden layers; all layers stay shared.

    The post splits at 32, and then at 64, one layer earlier. There it builds a new
    network for it; here both are views of the same one.

    Args:
        autoencoder: what `build` returns.
        layer: a key of `SPLITS`.

    Returns:
        `(encoder, decoder)`: models from (n, 784) to (n, width) and from there to
        (n, 784); codes are float32 from 0 up, and `decoder(encoder(x))` equals
        `autoencoder(x)`.
    """
    i = SPLITS[layer]
    encoder = Model(autoencoder.input, autoencoder.layers[i].output)

    encoded_input = Input(shape=encoder.output.shape[1:])
    decoded = encoded_input
    for decoder_layer in autoencoder.layers[i + 1 :]:
        decoded = decoder_layer(decoded)
    return encoder, Model(encoded_input, decoded)


def main(argv=None):
    parser = common.options(
        __doc__, epochs=50, batch_size=256, learning_rates=LEARNING_RATES
    )
    parser.add_argument(
        "--split",
        nargs="+",
        choices=SPLITS,
        default=["32", "64"],
        help="hidden layers to show as codes: the encoder ends and the decoder begins "
        "there; b is the second layer of that width (default: 32 64)",
    )
    args = parser.parse_args(argv)
    directory = common.output_folder(args, "deep")
    common.set_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 784)
    x_test = x_test.reshape(len(x_test), 784)
    print(x_train.shape)
    print(x_test.shape)

    if not args.load:
        autoencoder = build()
        autoencoder.summary()
        autoencoder.compile(
            optimizer=common.optimizer(args, LEARNING_RATES),
            loss="binary_crossentropy",
            # XLA makes such small dense layers faster; the losses stay the same.
            **common.speed(args.epochs, xla=True),
        )
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
        # All five, so that --load --split can show any of them later.
        models = {"autoencoder": autoencoder}
        for layer in SPLITS:
            encoder, decoder = split(autoencoder, layer)
            models |= {f"encoder_{layer}": encoder, f"decoder_{layer}": decoder}
        saved = common.save_models(directory, **models)

    names = ["autoencoder"]
    for layer in args.split:
        names += [f"encoder_{layer}", f"decoder_{layer}"]
    if args.load or saved:
        models = dict(zip(names, common.load_models(directory, *names), strict=True))
    if args.load:
        models["autoencoder"].summary()

    n = 10  # how many digits to show
    pca = common.fit_pca(x_train)
    rows, pca_rows, results = [("original", x_test[:n], 1)], [], []
    for layer in args.split:
        encoder, decoder = models[f"encoder_{layer}"], models[f"decoder_{layer}"]
        encoded_imgs = encoder.predict(x_test, args.batch_size, common.PROGRESS)
        decoded_imgs = decoder.predict(encoded_imgs, args.batch_size, common.PROGRESS)
        code_size = encoded_imgs[0].size
        pca_imgs = pca(x_test, code_size)
        rows.append((f"code {layer}", encoded_imgs[:n], None))
        pca_rows.append((f"PCA {code_size}", pca_imgs[:n], 1))
        results.append((f"split at {layer}", code_size, decoded_imgs))
        results.append((f"PCA {code_size}", code_size, pca_imgs))
    # Every split makes the same of a digit, so that one row stands for all.
    rows += [("reconstruction", decoded_imgs[:n], 1), *pca_rows]
    common.plot_reconstructions(rows, directory / "reconstructions.png")
    common.report(x_test, results)
    common.show_pictures(args, directory)


if __name__ == "__main__":
    common.run(main)
