"""最简单的单层编码解码机: the post's simplest autoencoder, with one hidden layer.

784 -> 16 (relu, L1 activity penalty) -> 784 (sigmoid)
"""

import common  # first: it keeps TensorFlow's start quiet

# isort: split
import matplotlib.pyplot as plt
from keras import Input, Model, optimizers, regularizers
from keras.callbacks import TerminateOnNaN
from keras.layers import Dense
from keras.utils import set_random_seed

# The post writes 'adadelta', whose rate was 1.0 then. Keras's default is 0.001 now, and
# with it the loss is still where it began after 50 epochs. Adam has Keras's own rate.
LEARNING_RATES = {"adadelta": 1.0, "adam": 0.001}


def build(encoding_dim=16, l1=10e-5):
    """Build the autoencoder, and the encoder and the decoder that are parts of it.

    Returns:
        `(autoencoder, encoder, decoder)`: models from (n, 784) to (n, 784), from
        (n, 784) to (n, encoding_dim), and from there to (n, 784); all values float32,
        digits in [0, 1], codes from 0 up.
    """
    input_img = Input(shape=(784,))
    # The penalty makes the code sparse; without it, the result is close to PCA's.
    penalty = regularizers.L1(l1)
    encoded = Dense(encoding_dim, "relu", activity_regularizer=penalty)(input_img)
    decoded = Dense(784, activation="sigmoid")(encoded)

    autoencoder = Model(input_img, decoded)
    encoder = Model(input_img, encoded)

    # The decoder is the autoencoder's last layer, on an input of its own. Encoder and
    # decoder are parts of the one network under names of their own: their weights are
    # its weights, so that training the autoencoder trains them too.
    encoded_input = Input(shape=(encoding_dim,))
    decoder_layer = autoencoder.layers[-1]
    decoder = Model(encoded_input, decoder_layer(encoded_input))
    return autoencoder, encoder, decoder


def main(argv=None):
    parser = common.make_parser(__doc__, LEARNING_RATES, epochs=50, batch_size=256)
    size, weight = common.in_range(int, 1, 10_000), common.in_range(float, 0, 1000)
    parser.add_argument("--encoding-dim", type=size, default=16, help="size of a code")
    parser.add_argument("--l1", type=weight, default=10e-5, help="penalty on the code")
    args = parser.parse_args(argv)
    directory = args.models / "simple"
    set_random_seed(args.seed)

    x_train, x_test = common.load_mnist(args.data)
    x_train = x_train.reshape(len(x_train), 784)
    x_test = x_test.reshape(len(x_test), 784)
    print(x_train.shape, x_test.shape)

    if not args.load:
        autoencoder, encoder, decoder = build(args.encoding_dim, args.l1)
        autoencoder.summary()
        common.check_before_training(autoencoder, directory)
        optimizer = optimizers.get(args.optimizer)
        optimizer.learning_rate = args.learning_rate or LEARNING_RATES[args.optimizer]
        fast = common.speed_settings(autoencoder, args.epochs)
        autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", **fast)
        # The input is its own label: this is called self-supervised learning.
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
    encoded_imgs = encoder.predict(x_test, batch_size=1000, verbose=0)
    decoded_imgs = decoder.predict(encoded_imgs, batch_size=1000, verbose=0)
    code_size = encoded_imgs.shape[1]
    pca_imgs, components = common.pca(x_train, x_test, code_size)

    n = 12  # how many digits to show
    rows = {"original": x_test, "code": encoded_imgs, "reconstruction": decoded_imgs}
    rows[f"PCA {code_size}"] = pca_imgs
    common.plot_rows(rows, n, directory / "reconstructions.png")
    # What each number of the code adds to a digit, and takes away from it.
    rows = {"each code number\ndraws red,\nerases blue": decoder.get_weights()[0]}
    rows["a component\nof PCA"] = components
    common.plot_rows(rows, min(code_size, 16), directory / "code.png", signed=True)
    results = [("autoencoder", code_size, decoded_imgs), ("PCA", code_size, pca_imgs)]
    # The loss holds the penalty, which a call adds up, and the table does not.
    autoencoder(x_test)
    loss, penalty = history["val_loss"][-1], float(sum(autoencoder.losses))
    entropy = common.cross_entropy(x_test, decoded_imgs)
    if abs(entropy + penalty - loss) < 0.001:  # not if the loss is another one
        terms = f"{loss:.4f} = {entropy:.4f} + {penalty:.4f}"
        common.notices.append(f"validation loss = cross-entropy + penalty: {terms}")
    levels = common.print_table(x_test, results, directory)
    common.plot_history(history, levels, directory / "history.png")
    if not args.no_show:
        plt.show()


if __name__ == "__main__":
    common.run(main)
