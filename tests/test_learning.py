"""Whether the networks are the post's, whether they learn, and whether a seed repeats it."""

import common

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import EPOCHS
from helpers import (
    SCRIPTS,
    Cells,
    entropy,
    mse,
    predict,
    write_npz,
)
from keras.layers import Conv2D, Dense, MaxPooling2D, UpSampling2D

# The mean digit's MSE is 0.068, that of an untrained network 0.23. Conv's first run, of 62
# updates alone, ends at 0.057, and at Keras's own rate of Adadelta at 0.23.
REACHED = {"simple": 0.055, "deep": 0.06, "conv": 0.061}
ADAM = {"simple": 0.001, "deep": 0.0015, "conv": 0.005}  # its rates


def the_post_has(name):
    """The post's network of this name, with the weights that Keras gives it."""
    if name == "simple":
        layers = [keras.Input((784,)), Dense(16, "relu"), Dense(784, "sigmoid")]
    elif name == "deep":
        layers = [keras.Input((784,))]
        layers += [Dense(width, "relu") for width in (128, 64, 32, 64, 128)]
        layers += [Dense(784, "sigmoid")]
    else:
        same = {"padding": "same", "activation": "relu"}
        layers = [
            keras.Input((28, 28, 1)),
            Conv2D(16, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            UpSampling2D(2),
            Conv2D(8, 3, **same),
            UpSampling2D(2),
            Conv2D(16, 3, activation="relu"),
            UpSampling2D(2),
            Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    return keras.Sequential(layers)


@pytest.mark.parametrize("name", SCRIPTS)
def test_network_is_the_post_s(name, first_run):
    run = first_run(name)
    post = the_post_has(name)
    post.set_weights(run.autoencoder.get_weights())
    x = run.x_test[:100]
    np.testing.assert_allclose(predict(post, x), predict(run.autoencoder, x), atol=1e-5)


@pytest.mark.parametrize("name", SCRIPTS)
def test_code_is_the_post_s(name, first_run):
    """The encoder ends where the post's ends, and there are no values below 0."""
    codes = first_run(name).encoded_imgs
    shapes = {"simple": (16,), "deep": (32,), "conv": (4, 4, 8)}
    assert codes.shape[1:] == shapes[name]
    assert codes.min() == 0


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_learns(name, first_run, digits):
    run = first_run(name)
    train, test = digits
    x_test = test[0].reshape(run.x_test.shape)
    mean_digit = train[0].mean(axis=0).reshape(x_test.shape[1:])
    assert mse(x_test, run.decoded_imgs) < REACHED[name] < mse(x_test, mean_digit)


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_digits_are_mnist_s(name, first_run, digits):
    run = first_run(name)
    (x_train, y_train), (x_test, y_test) = digits
    np.testing.assert_array_equal(run.x_train.reshape(x_train.shape), x_train)
    np.testing.assert_array_equal(run.x_test.reshape(x_test.shape), x_test)
    np.testing.assert_array_equal(run.y_train, y_train)
    np.testing.assert_array_equal(run.y_test, y_test)
    assert f"{run.x_train.shape} {run.x_test.shape}\n" in run.said


@pytest.mark.parametrize("name", SCRIPTS)
def test_validation_loss_is_that_of_the_test_digits(name, first_run):
    """Of those alone, by the cross-entropy's definition and the penalty's."""
    run = first_run(name)
    loss = entropy(run.x_test, run.decoded_imgs)
    if name == "simple":
        loss += 0.0001 * np.abs(run.encoded_imgs).sum() / len(run.encoded_imgs)
    losses = run.history.history
    assert len(losses["val_loss"]) == EPOCHS[name]
    assert losses["val_loss"][-1] == pytest.approx(loss, abs=2e-4)
    assert f"- val_loss: {losses['val_loss'][-1]:.4f}\n" in run.said
    # The training loss is of the training digits: close, as all of them are learnt.
    assert losses["loss"][-1] == pytest.approx(loss, rel=0.15)


def test_penalty_is_l1_on_the_code(few, tmp_path):
    """Keras's loss holds --l1 times the sum of a code's magnitudes."""
    cells = Cells("simple", few, tmp_path)
    cells.args.l1 = 0.01
    cells.run("加载数据", "建立网络", "编译")
    penalty = 0.01 * np.abs(predict(cells.encoder, cells.x_test)).sum(axis=1).mean()
    loss = entropy(cells.x_test, predict(cells.autoencoder, cells.x_test))
    assert penalty > 0.01
    total = cells.autoencoder.evaluate(cells.x_test, cells.x_test, verbose=0)
    assert total == pytest.approx(loss + penalty, rel=1e-3)


def test_penalty_is_said(first_run):
    run = first_run("simple")
    pattern = r"\nbinary_crossentropy \+ penalty: (\S+) \+ (\S+) = (\S+)\n"
    loss, penalty, total = [float(text) for text in re.search(pattern, run.said).groups()]
    assert loss == pytest.approx(entropy(run.x_test, run.decoded_imgs), abs=1e-4)
    expected = 0.0001 * np.abs(run.encoded_imgs).sum(axis=1).mean()
    assert penalty == pytest.approx(expected, abs=6e-5)
    assert total == pytest.approx(run.history.history["val_loss"][-1], abs=1e-4)


def test_penalty_is_of_all_digits(capsys):
    """Which are taken 1,000 at a time."""
    x = np.linspace(0, 1, 2300, dtype="float32")[:, np.newaxis]
    sum_of_x = keras.regularizers.L1(1)
    layers = [keras.Input((1,)), keras.layers.Activation("linear", activity_regularizer=sum_of_x)]
    model = keras.Sequential(layers)
    model.compile(loss="mse")
    common.print_loss_and_penalty(model, x, x)
    said = capsys.readouterr().out
    assert said == "mean_squared_error + penalty: 0.0000 + 0.5000 = 0.5000\n"


def test_share_of_zeros_is_said(first_run):
    run = first_run("simple")
    share = float(re.search(r"\nzeros in the codes: (\S+)%\n", run.said)[1])
    assert share == pytest.approx(100 * np.mean(run.encoded_imgs == 0), abs=0.06)
    assert 0 < share < 100


@pytest.mark.parametrize("name", ["deep", "conv"])
def test_no_penalty_is_no_sum(name, first_run):
    assert "penalty" not in first_run(name).said


@pytest.mark.parametrize("name", SCRIPTS)
def test_optimizers(name, few, tmp_path):
    """Any of Keras's, however it is spelt, at the rate of the post, the script, or Keras."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据", "建立网络")
    rates = {"adadelta": 1.0, "Adadelta": 1.0, "adam": ADAM[name], "Adam": ADAM[name]}
    rates.update({"sgd": 0.01, "adamw": 0.001})
    for spelt, rate in rates.items():
        cells.args.optimizer = spelt
        cells.run("编译")
        optimizer = cells.autoencoder.optimizer
        assert type(optimizer).__name__.lower() == spelt.lower()
        assert float(optimizer.learning_rate) == pytest.approx(rate)
    cells.args.optimizer = keras.optimizers.Adadelta(0.5)
    cells.run("编译")
    assert float(cells.autoencoder.optimizer.learning_rate) == 0.5
    cells.args.optimizer = "tpyo"
    with pytest.raises(ValueError, match="tpyo"):
        cells.run("编译")


@pytest.fixture(scope="session")
def sorted_digits(digits, tmp_path_factory):
    """A file with zeros and then ones."""
    sorted_parts = []
    for x, y in digits:
        zeros = np.flatnonzero(y == 0)[:400]
        ones = np.flatnonzero(y == 1)[:400]
        order = np.concatenate([zeros, ones])
        sorted_parts.append((x[order], y[order]))
    train, test = sorted_parts
    return write_npz(tmp_path_factory.mktemp("sorted") / "sorted.npz", train, test)


@pytest.mark.parametrize("name", SCRIPTS)
def test_epochs_batch_size_and_shuffling(name, sorted_digits, tmp_path):
    """In the order of the file, first all zeros and then all ones, little is learnt."""
    cells = Cells(name, sorted_digits, tmp_path)
    cells.args.optimizer = keras.optimizers.Adam(0.005)
    cells.args.batch_size = 40
    cells.args.epochs = 2
    cells.run("加载数据", "建立网络", "编译", "训练、保存")
    assert int(cells.autoencoder.optimizer.iterations) == 2 * 20
    assert mse(cells.x_test, predict(cells.autoencoder, cells.x_test)) < 0.05


def test_seed_repeats_a_training(few, tmp_path):
    """Bit for bit, with large batches too, whose parts are worked on at the same time."""
    cells = Cells("simple", few, tmp_path)
    cells.args.epochs = 2
    cells.args.batch_size = 250
    cells.run("加载数据")
    trained = []
    for _ in range(2):
        cells.run("建立网络", "编译", "训练、保存")
        trained.append([x.tobytes() for x in cells.autoencoder.get_weights()])
    assert trained[0] == trained[1]


def test_sums_are_repeatable():
    """The seed's promise rests on this setting, without which two runs agree by chance."""
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})
    common.set_seed(0)
    options = tf.config.optimizer.get_experimental_options()
    assert options["arithmetic_optimization"] is False


@pytest.mark.parametrize("name", SCRIPTS)
def test_seed_in_a_cell(name, few, tmp_path):
    """It counts when it is changed after the first cell; and the cell can be run again."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据")
    weights = []
    for seed in (0, 0, 1):
        cells.args.seed = seed
        cells.run("建立网络")
        weights.append(cells.autoencoder.get_weights()[0].tobytes())
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_use_what_makes_them_fast(name, few, tmp_path):
    """Steps in one go; and XLA, which does not pay for a few epochs or for convolutions."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据", "建立网络")
    for epochs in (9, 10):
        cells.args.epochs = epochs
        cells.args.batch_size = 30
        cells.run("编译")
        assert cells.autoencoder.steps_per_execution == 5  # 128 digits in batches of 30
        expected = epochs == 10 and name != "conv" and tf.test.is_built_with_xla()
        assert cells.autoencoder.jit_compile is expected


def test_settings_for_speed():
    """The bar moves five times in an epoch of MNIST; Dropout is slow with XLA."""
    model = keras.Sequential([keras.Input((784,)), Dense(784), keras.layers.Dropout(0.5)])
    assert common.speed_settings(model, 60_000, 256, 50) == {"steps_per_execution": 47}
    assert common.speed_settings(model, 257, 256, 1) == {"steps_per_execution": 2}
