"""The three networks against the post's figures, and that they learn."""

import itertools

import keras
import numpy as np
import pytest

import common
import conv_autoencoder
import deep_autoencoder
import simple_autoencoder


def layers(model):
    """Each layer as (class, output shape without the batch, activation)."""
    return [
        (
            type(layer).__name__,
            tuple(layer.output.shape[1:]),
            layer.activation.__name__ if hasattr(layer, "activation") else None,
        )
        for layer in model.layers
    ]


def same_variables(whole, *parts):
    """Whether the parts, one after the other, hold the very variables of the whole."""
    variables = [v for part in parts for v in part.weights]
    return list(map(id, variables)) == list(map(id, whole.weights))


def test_simple_network():
    autoencoder, encoder, decoder = simple_autoencoder.build()
    assert layers(autoencoder) == [
        ("InputLayer", (784,), None),
        ("Dense", (16,), "relu"),
        ("Dense", (784,), "sigmoid"),
    ]
    assert autoencoder.count_params() == 25_888
    assert encoder.count_params() == 784 * 16 + 16
    assert decoder.count_params() == 16 * 784 + 784
    assert same_variables(autoencoder, encoder, decoder)


@pytest.mark.parametrize("encoding_dim", [1, 32, 1000])
def test_simple_network_takes_any_code_size(encoding_dim, sample):
    autoencoder, encoder, decoder = simple_autoencoder.build(encoding_dim)
    x = sample[1][:5].reshape(5, 784)
    assert encoder.predict(x, verbose=0).shape == (5, encoding_dim)
    assert np.array_equal(
        decoder.predict(encoder.predict(x, verbose=0), verbose=0),
        autoencoder.predict(x, verbose=0),
    )


def test_penalty_does_not_grow_with_the_batch(sample):
    """Keras before 3.14 added it up over the batch."""
    autoencoder, encoder, _ = simple_autoencoder.build(l1=10e-5)
    one = sample[1][:1].reshape(1, 784)
    autoencoder(one)
    (penalty_of_one,) = autoencoder.losses
    autoencoder(np.repeat(one, 256, axis=0))
    (penalty_of_256,) = autoencoder.losses
    code = encoder.predict(one, verbose=0)
    assert float(penalty_of_one) == pytest.approx(10e-5 * code.sum(), rel=1e-4)
    assert float(penalty_of_256) == pytest.approx(float(penalty_of_one), rel=1e-4)


def test_no_penalty_with_l1_0(sample):
    autoencoder, _, _ = simple_autoencoder.build(l1=0)
    autoencoder(sample[1][:1].reshape(1, 784))
    assert autoencoder.losses == []


def test_deep_network():
    autoencoder = deep_autoencoder.build()
    assert layers(autoencoder) == [
        ("InputLayer", (784,), None),
        ("Dense", (128,), "relu"),
        ("Dense", (64,), "relu"),
        ("Dense", (32,), "relu"),
        ("Dense", (64,), "relu"),
        ("Dense", (128,), "relu"),
        ("Dense", (784,), "sigmoid"),
    ]
    widths = [784, 128, 64, 32, 64, 128, 784]
    assert autoencoder.count_params() == sum(
        a * b + b for a, b in itertools.pairwise(widths)
    )


@pytest.mark.parametrize(
    ("layer", "width"),
    [("128", 128), ("64", 64), ("32", 32), ("64b", 64), ("128b", 128)],
)
def test_every_split_is_a_view_of_the_same_network(layer, width, sample):
    autoencoder = deep_autoencoder.build()
    encoder, decoder = deep_autoencoder.split(autoencoder, layer)
    assert same_variables(autoencoder, encoder, decoder)
    x = sample[1][:20].reshape(20, 784)
    code = encoder.predict(x, verbose=0)
    assert code.shape == (20, width)
    np.testing.assert_array_equal(
        decoder.predict(code, verbose=0), autoencoder.predict(x, verbose=0)
    )


def test_the_splits_lie_where_their_names_say():
    autoencoder = deep_autoencoder.build()
    ends = [
        len(deep_autoencoder.split(autoencoder, layer)[0].layers)
        for layer in ["128", "64", "32", "64b", "128b"]
    ]
    assert ends == [2, 3, 4, 5, 6]


def test_conv_network():
    autoencoder, encoder, decoder = conv_autoencoder.build()
    assert layers(autoencoder) == [
        ("InputLayer", (28, 28, 1), None),
        ("Conv2D", (28, 28, 16), "relu"),
        ("MaxPooling2D", (14, 14, 16), None),
        ("Conv2D", (14, 14, 8), "relu"),
        ("MaxPooling2D", (7, 7, 8), None),
        ("Conv2D", (7, 7, 8), "relu"),
        ("MaxPooling2D", (4, 4, 8), None),
        ("Conv2D", (4, 4, 8), "relu"),
        ("UpSampling2D", (8, 8, 8), None),
        ("Conv2D", (8, 8, 8), "relu"),
        ("UpSampling2D", (16, 16, 8), None),
        ("Conv2D", (14, 14, 16), "relu"),
        ("UpSampling2D", (28, 28, 16), None),
        ("Conv2D", (28, 28, 1), "sigmoid"),
    ]
    convolutions = [x for x in autoencoder.layers if isinstance(x, keras.layers.Conv2D)]
    assert {x.kernel_size for x in convolutions} == {(3, 3)}
    channels = [1, 16, 8, 8, 8, 8, 16, 1]
    assert autoencoder.count_params() == sum(
        9 * a * b + b for a, b in itertools.pairwise(channels)
    )
    assert layers(encoder) == layers(autoencoder)[:7]
    assert layers(decoder)[1:] == layers(autoencoder)[7:]
    assert same_variables(autoencoder, encoder, decoder)


def test_conv_halves_make_the_whole(sample):
    autoencoder, encoder, decoder = conv_autoencoder.build()
    x = sample[1][:5, :, :, None]
    code = encoder.predict(x, verbose=0)
    assert code.shape == (5, 4, 4, 8)
    np.testing.assert_array_equal(
        decoder.predict(code, verbose=0), autoencoder.predict(x, verbose=0)
    )


@pytest.mark.parametrize(
    "module", [simple_autoencoder, deep_autoencoder, conv_autoencoder]
)
def test_adadelta_has_the_rate_that_it_had_in_2017(module):
    """Keras's own default learns nothing; see also the test below."""
    parser = common.options("", 1, 1, module.LEARNING_RATES)
    adadelta = common.optimizer(parser.parse_args([]), module.LEARNING_RATES)
    assert isinstance(adadelta, keras.optimizers.Adadelta)
    assert float(adadelta.learning_rate) == 1.0
    chosen = parser.parse_args(["--optimizer", "adam", "--learning-rate", "0.5"])
    adam = common.optimizer(chosen, module.LEARNING_RATES)
    assert isinstance(adam, keras.optimizers.Adam)
    assert float(adam.learning_rate) == 0.5


def test_learning_happens(trained, sample):
    """After 192 updates; with Keras's default rate the loss is at 0.69 still."""
    x = sample[1].reshape(-1, 784)
    for name, bound, shape in [
        ("simple", 0.30, (784,)),
        ("deep", 0.24, (784,)),
        ("conv", 0.35, (28, 28, 1)),
    ]:
        autoencoder = common.load_model("autoencoder", trained / name)
        decoded_imgs = autoencoder.predict(x.reshape(-1, *shape), verbose=0)
        losses = keras.losses.binary_crossentropy(x, decoded_imgs.reshape(x.shape))
        assert float(np.mean(losses)) < bound, name


def test_the_rate_that_keras_has_now_learns_nothing(sample):
    """If this fails, Keras's default has changed, and the README's table with it."""
    x = sample[0].reshape(-1, 784)
    keras.utils.set_random_seed(0)
    autoencoder, _, _ = simple_autoencoder.build()
    autoencoder.compile(optimizer="adadelta", loss="binary_crossentropy")
    history = autoencoder.fit(x, x, epochs=12, batch_size=256, verbose=0)
    assert history.history["loss"][-1] > 0.65
