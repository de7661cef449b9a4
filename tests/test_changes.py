"""What readers change in a network: the script goes on to its end, and shows what it says."""

import re

import numpy as np
import pytest
import tensorflow as tf
from helpers import SCRIPTS, changed_script, drawn_rows, mse, predict, rows_of, table

pytestmark = pytest.mark.filterwarnings("ignore:Even though the")  # of the fixture `eager`

LAYERS = "import keras\nfrom keras.layers import *"
OUTPUT = 'decoded = Dense(784, activation="sigmoid")(encoded)'
PENALTY = ", activity_regularizer=sparse"
ADAPTED = """scale = Normalization(axis=None)
scale.adapt(x_train)
"""
NORMALISED = {
    "sparse)(input_img)": "sparse)(scale(input_img))",
    "# %% 建立网络": f"{ADAPTED}# %% 建立网络",
}
NESTED = {
    "decoder = Model(encoded, decoded)": (
        "decoder = Model(encoded, decoded)\n"
        "autoencoder = Model(input_img, decoder(encoder(input_img)))"
    )
}
# What is changed in the simple script, some of it in the same run: old text to new text.
CHANGES = {
    "one more Dense in either part, Dropout, BatchNormalization": {
        "sparse = ": 'hidden = Dense(50, "relu")(Dropout(0.5)(input_img))\nsparse = ',
        "sparse)(input_img)": "sparse)(hidden)",
        OUTPUT: f'decoded = BatchNormalization()(Dense(100, "relu")(encoded))\n{OUTPUT[:-9]}(decoded)',
    },
    "pixels that are normalised, a penalty on the weights": {
        **NORMALISED,
        PENALTY: ", kernel_regularizer=regularizers.L2(0.01)",
    },
    "a decoder with Conv2DTranspose, mse": {
        OUTPUT: """x = Reshape((7, 7, 8))(Dense(392, "relu")(encoded))
x = Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(x)
x = Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
decoded = Flatten()(x)""",
        '"binary_crossentropy"': '"mse"',
    },
    "a code of feature maps, no regularizer": {
        OUTPUT: """x = Reshape((28, 28, 1))(input_img)
encoded = Conv2D(3, 3, strides=4, padding="same")(x)
decoded = Dense(784, activation="sigmoid")(Flatten()(encoded))""",
        PENALTY: "",
    },
    "a network of networks, pixels that are normalised, a Loss": {
        **NORMALISED,
        '"binary_crossentropy"': "keras.losses.MeanAbsoluteError()",
        **NESTED,
    },
}
# How the loss is called, if it is no cross-entropy.
LOSSES = {
    "a decoder with Conv2DTranspose, mse": "mean_squared_error",
    "a network of networks, pixels that are normalised, a Loss": "mean_absolute_error",
}


@pytest.fixture(autouse=True)
def eager():
    """TensorFlow runs each network as it stands: to compile so many would take twice as long."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def changed_run(run, tmp_path):
    """Run a changed script, which draws two digits in a row, to be quicker."""

    def call(name, changes, *words):
        all_changes = {"n = 1": "n = 2  # 1"}
        all_changes.update(changes)
        return run(changed_script(tmp_path, name, all_changes, LAYERS), *words)

    return call


def assert_loaded_is_trained(run):
    """What was saved and loaded gives the images of what was trained, and it is said."""
    trained = predict(run.history.model, run.x_test)
    np.testing.assert_allclose(run.decoded_imgs, trained, atol=1e-4)
    difference = re.search(r"trained autoencoder\(x\): at most (\S+)\n", run.said)[1]
    assert float(difference) <= 1e-4
    assert "So what was loaded" not in run.said


def assert_levels_are_of(loss, run):
    """The levels beside the losses are of the loss that was compiled."""
    levels = {}
    for line in run.figures["history.png"].axes[0].lines:
        levels[line.get_label().split(":")[0]] = line.get_ydata()[0]
    error = np.abs(run.x_test - run.pca_imgs)
    if loss == "mean_squared_error":
        error = error**2
    assert levels["PCA 4"] == pytest.approx(error.mean(), rel=1e-4)
    assert levels["lower bound"] == 0


@pytest.mark.parametrize("what", CHANGES)
def test_change_of_simple(what, changed_run):
    run = changed_run("simple", CHANGES[what], "--encoding-dim", "4")
    assert_loaded_is_trained(run)
    row = table(run.said)["autoencoder"]
    assert row.mse == pytest.approx(mse(run.x_test, run.decoded_imgs), abs=2e-5)
    assert row.code == run.encoded_imgs[0].size
    assert set(run.shown) == {"reconstructions.png", "pca.png", "each_number.png", "history.png"}
    # The curve ends at the loss of the test digits and the penalty.
    parts = re.search(r"\n(\w+) \+ penalty: (\S+) \+ (\S+) = (\S+)\n", run.said)
    if "no regularizer" in what:
        assert parts is None
    else:
        name, loss, penalty, total = parts.groups()
        assert name == LOSSES.get(what, "binary_crossentropy")
        assert float(loss) + float(penalty) == pytest.approx(float(total), abs=2e-4)
        assert float(total) == pytest.approx(run.history.history["val_loss"][-1], abs=2e-4)
    if what in LOSSES:
        assert_levels_are_of(LOSSES[what], run)


def test_another_network_is_said(changed_run):
    """With a layer of one's own whose noise stays on."""
    noise = """
@keras.saving.register_keras_serializable()
class Noise(Layer):
    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x))


"""
    run = changed_run(
        "simple", {OUTPUT: f"{noise}encoded = Noise()(encoded)\n{OUTPUT}"}, "--epochs", "0"
    )
    assert "So what was loaded is another network." in run.said
    assert len(table(run.said)) == 2  # and the table comes all the same


def test_validation_digits_apart_and_early_stopping(changed_run):
    """As the README has it: what gains too little ends after so many epochs of patience."""
    stop = "keras.callbacks.EarlyStopping(patience=2, min_delta=10, restore_best_weights=True)"
    apart = f"validation_split=0.1, callbacks=[{stop}],"
    changes = {"validation_data=(x_test, x_test),": apart}
    run = changed_run("simple", changes, "--epochs", "9")
    assert_loaded_is_trained(run)
    assert len(run.history.history["val_loss"]) == 3
    assert len(table(run.said)) == 2


def test_network_of_networks_of_deep(changed_run):
    run = changed_run("deep", NESTED, "--epochs", "0")
    assert_loaded_is_trained(run)
    np.testing.assert_allclose(run.decoded_imgs2, run.decoded_imgs, atol=1e-5)
    assert [row.code for row in rows_of(run.said)] == [32, 32, 64, 64]


def test_network_of_networks_of_conv(changed_run):
    """What is not drawn is said in one line; the rest comes."""
    run = changed_run("conv", NESTED, "--epochs", "0")
    assert_loaded_is_trained(run)
    assert re.search(r"(?m)^Not drawn: layers\.png, .*$", run.said)
    assert set(run.shown) == {"reconstructions.png", "pca.png", "history.png"}
    assert len(table(run.said)) == 2


def test_code_of_conv_without_maps(changed_run):
    changes = {
        'encoded = MaxPooling2D((2, 2), padding="same")(x)': (
            'x = MaxPooling2D((2, 2), padding="same")(x)\nencoded = Dense(128)(Flatten()(x))'
        ),
        '"same")(encoded)': '"same")(Reshape((4, 4, 8))(encoded))',
    }
    run = changed_run("conv", changes, "--epochs", "0")
    assert_loaded_is_trained(run)
    labels = list(drawn_rows(run.figures["layers.png"]))
    assert [label.split("\n")[1] for label in labels].count("(128,)") == 2  # Flatten and Dense


def test_layers_of_deep_changed(changed_run):
    """One layer earlier is asked of the encoder, however many layers it has."""
    changes = {
        'encoded = Dense(64, activation="relu")(encoded)\n': (
            "encoded = Dense(90)(encoded)\nencoded = Dropout(0.1)(Dense(50)(encoded))\n"
        )
    }
    run = changed_run("deep", changes, "--encoding-dim", "100", "--epochs", "0")
    assert_loaded_is_trained(run)
    np.testing.assert_allclose(run.decoded_imgs2, run.decoded_imgs, atol=1e-5)
    assert [row.code for row in rows_of(run.said)] == [100, 100, 50, 50]


def in_colour(x, shape):
    """Code that makes images of 16 x 16 in three colours of digits x, in a shape."""
    return f"{x} = {x}[:, 6:22, 6:22].repeat(3).reshape({shape})"


OTHER_IMAGES = {
    "simple": {
        "x_train = x_train.reshape(len(x_train), 784)": in_colour("x_train", "-1, 768"),
        "x_test = x_test.reshape(len(x_test), 784)": in_colour("x_test", "-1, 768"),
        "Input(shape=(784,))": "Input(shape=(768,))",
        "Dense(784, ": "Dense(768, ",
    },
    "conv": {
        "x_train = x_train.reshape(len(x_train), 28, 28, 1)": in_colour("x_train", "-1, 16, 16, 3"),
        "x_test = x_test.reshape(len(x_test), 28, 28, 1)": in_colour("x_test", "-1, 16, 16, 3"),
        "Input(shape=(28, 28, 1))": "Input(shape=(16, 16, 3))",
        'x = Conv2D(16, (3, 3), activation="relu")(x)': (
            'x = Conv2D(16, (3, 3), activation="relu", padding="same")(x)'
        ),
        "decoded = Conv2D(1, ": "decoded = Conv2D(3, ",
    },
}


@pytest.mark.parametrize("name", OTHER_IMAGES)
def test_images_of_another_size_in_colour(name, changed_run):
    """Numbers change where the images are loaded and in the network, as the README says."""
    run = changed_run(name, OTHER_IMAGES[name], "--epochs", "0")
    assert_loaded_is_trained(run)
    for row in table(run.said).values():
        assert row.compression == pytest.approx(768 / row.code, abs=0.05)
    assert run.pca_imgs.size == run.x_test.size


OWN_LAYER = """
class Negative(Layer):
    def call(self, x):
        return -x


"""


@pytest.mark.parametrize("layer", ["Lambda(lambda x: -x)", "Negative()"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, run, tmp_path):
    """In Keras's own words, which say what to do."""
    changes = {OUTPUT: f"{OWN_LAYER}encoded = {layer}(encoded)\n{OUTPUT}"}
    path = changed_script(tmp_path, "simple", changes, LAYERS)
    with pytest.raises(Exception, match="register_keras_serializable|safe_mode") as caught:
        run(path)
    assert "Epoch" not in caught.value.said
    assert list((tmp_path / "simple").iterdir()) == []


WRONG_PARTS = {
    "encoder": "input_img, encoded",
    "decoder": "encoded, decoded",
}


@pytest.mark.parametrize("part", WRONG_PARTS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_part_that_is_none_of_the_autoencoder_is_found_out_at_once(name, part, run, tmp_path):
    """Such as one with a layer of its own, which a reader built by mistake."""
    line = f"\n{part} = Model({WRONG_PARTS[part]})"
    wrong = f"\nwrong = Input((16,))\n{part} = Model(wrong, keras.layers.Dense(2)(wrong))"
    path = changed_script(tmp_path, name, {line: wrong}, "import keras")
    with pytest.raises(Exception, match="^encoder and decoder must be parts .*one cell$") as caught:
        run(path)
    assert "Epoch" not in caught.value.said
    assert not (tmp_path / name).exists()
