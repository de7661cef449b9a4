"""What readers change in a network: the script goes on to its end, and shows what it says."""

import re

import numpy as np
import pytest
from helpers import PICTURES, drawn_rows, entropy, mse, predict, quicker, rows_of, run_script

pytestmark = pytest.mark.usefixtures("eager")

IMPORTS = "import keras\nfrom keras.layers import *"
CODE = """encoded = Dense(
    encoding_dim,
    activation="relu",
    activity_regularizer=regularizers.L1(args.l1),
)(input_img)"""
OUTPUT = 'decoded = Dense(784, activation="sigmoid")(encoded)'
PENALTY = "activity_regularizer=regularizers.L1(args.l1)"
LOSS = '"binary_crossentropy"'
NESTED = {
    "autoencoder = Model(input_img, decoded)\n": "",
    "decoder = Model(encoded, decoded)": (
        "decoder = Model(encoded, decoded)\n"
        "autoencoder = Model(input_img, decoder(encoder(input_img)))"
    ),
}
SEQUENTIAL = {
    "encoder = Model(input_img, encoded)": (
        "encoder = keras.Sequential([input_img] + autoencoder.layers[1:{0}])"
    ),
    "decoder = Model(encoded, decoded)": (
        "decoder = keras.Sequential([keras.Input(encoder.output_shape[1:])] + "
        "autoencoder.layers[{0}:])"
    ),
}


def sequential(layers_to_the_code):
    """Both parts as keras.Sequential."""
    return {old: new.format(layers_to_the_code) for old, new in SEQUENTIAL.items()}


AS_IMAGES = {
    "x_train = x_train.reshape(len(x_train), 784)\n": "",
    "x_test = x_test.reshape(len(x_test), 784)\n": "",
    "Input(shape=(784,))": "Input(shape=(28, 28))",
    ",\n)(input_img)": ",\n)(Flatten()(input_img))",
    OUTPUT: 'decoded = Reshape((28, 28))(Dense(784, activation="sigmoid")(encoded))',
}
NOISE = """x_noisy = np.clip(x_train + 0.5 * np.random.normal(size=x_train.shape), 0, 1)
x_test_noisy = np.clip(x_test + 0.5 * np.random.normal(size=x_test.shape), 0, 1)
# %% 训练"""
# Some changes are made in the same run: script, and old text to new text.
CHANGES = {
    "another Dense and Dropout in the encoder, BatchNormalization in the decoder, L2": (
        "simple",
        {
            CODE: CODE.replace(
                "(input_img)", '(Dropout(0.5)(Dense(50, "relu")(input_img)))'
            ).replace("L1(args.l1)", "L2(args.l1)"),
            OUTPUT: (
                'decoded = BatchNormalization()(Dense(100, "relu")(encoded))\n'
                'decoded = Dense(784, activation="sigmoid")(decoded)'
            ),
        },
    ),
    "a code of feature maps, a decoder with Conv2DTranspose, mse": (
        "simple",
        {
            CODE: (
                "x = Reshape((28, 28, 1))(input_img)\n"
                'encoded = Conv2D(3, 3, strides=4, padding="same", '
                "activity_regularizer=regularizers.L2(0.01))(x)"
            ),
            OUTPUT: """x = Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(encoded)
x = Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
decoded = Flatten()(x)""",
            LOSS: '"mse"',
        },
    ),
    "LeakyReLU, no regularizer, decoder(encoder(x)), a Loss in a list": (
        "simple",
        {
            CODE: "encoded = LeakyReLU()(Dense(encoding_dim)(input_img))",
            LOSS: "[keras.losses.MeanAbsoluteError()]",
            **NESTED,
        },
    ),
    "both parts as keras.Sequential, noisy validation input, a loss in a list": (
        "simple",
        {
            **sequential(2),
            "# %% 训练": NOISE,
            "(x_test, x_test)": "(x_test_noisy, x_test)",
            LOSS: f"[{LOSS}]",
        },
    ),
    "Flatten and Reshape, a penalty on the weights, more numbers than pixels": (
        "simple",
        {
            **AS_IMAGES,
            PENALTY: "kernel_regularizer=regularizers.L2(0.01)",
            "encoding_dim = args.encoding_dim": "encoding_dim = 900",
        },
    ),
    "deep: both parts as keras.Sequential, in another one": (
        "deep",
        {
            **sequential(4),
            "# %% 编译": "autoencoder = keras.Sequential([encoder, decoder])\n# %% 编译",
        },
    ),
    "deep: other widths, Dropout": (
        "deep",
        {
            'encoded = Dense(64, activation="relu")(encoded)\n': (
                "encoded = Dense(90)(encoded)\nencoded = Dropout(0.1)(Dense(50)(encoded))\n"
            ),
            "encoding_dim = args.encoding_dim": "encoding_dim = 100",
        },
    ),
    "conv: both parts as keras.Sequential, decoder(encoder(x))": (
        "conv",
        {
            **sequential(7),
            "# %% 编译": "autoencoder = Model(input_img, decoder(encoder(input_img)))\n# %% 编译",
        },
    ),
    "conv: a flat code": (
        "conv",
        {
            'encoded = MaxPooling2D((2, 2), padding="same")(x)': (
                'x = MaxPooling2D((2, 2), padding="same")(x)\nencoded = Dense(128)(Flatten()(x))'
            ),
            '"same")(encoded)': '"same")(Reshape((4, 4, 8))(encoded))',
        },
    ),
}


@pytest.fixture
def changed_run(few, tmp_path):
    """Run a script for an epoch with texts replaced, as readers do it; each must stand there once."""

    def call(name, changes, *words):
        text = quicker(name)
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        text = text.replace("import argparse\n", f"import argparse\n{IMPORTS}\n", 1)
        path = tmp_path / "changed.py"
        path.write_text(text, encoding="utf-8")
        return run_script(path, "--epochs", "1", "--data", few, "--models", tmp_path, *words)

    return call


def assert_all_is_shown_and_true(run, name):
    """To the table: differences, penalty, pictures, and the first row."""
    trained = predict(run.autoencoder, run.x_test)
    np.testing.assert_allclose(run.decoded_imgs, trained, atol=1e-4)
    differences = re.findall(r"(?m)^images .* differ by (\S+) \(rounding", run.said)
    assert len(differences) == (2 if name == "deep" else 1)
    assert max(float(text) for text in differences) < 1e-4
    both = {"reconstructions.png", "pca.png", "history.png"}
    assert set(run.shown) == PICTURES[name] | both
    rows = rows_of(run.said)
    assert len(rows) == (4 if name == "deep" else 2)
    assert rows[0].mse == pytest.approx(mse(run.x_test, run.decoded_imgs), abs=2e-5)
    assert rows[0].entropy == pytest.approx(entropy(run.x_test, run.decoded_imgs), abs=2e-4)
    assert rows[0].code == run.encoded_imgs[0].size
    assert rows[1].code == min(rows[0].code, len(run.x_train))
    assert run.pca_imgs.shape == run.x_test.shape
    if name == "simple":
        penalty = float(re.search(r", penalty: (\S+)\n", run.said)[1])
        run.autoencoder.compile(loss="mse")
        total = run.autoencoder.evaluate(run.x_test, run.x_test, batch_size=200, verbose=0)
        assert penalty == pytest.approx(total - mse(run.x_test, trained), abs=2e-4)


@pytest.mark.parametrize("what", CHANGES)
def test_change_of_a_network(what, changed_run):
    name, changes = CHANGES[what]
    run = changed_run(name, changes)
    assert_all_is_shown_and_true(run, name)
    if name == "deep":
        np.testing.assert_allclose(run.decoded_imgs2, run.decoded_imgs, atol=1e-5)
    if what == "deep: other widths, Dropout":
        assert [row.code for row in rows_of(run.said)] == [100, 100, 50, 50]
    if "more numbers than pixels" in what:  # of which the first 16 are drawn
        (effects,) = drawn_rows(run.figures["each_number.png"]).values()
        assert len(effects) == 16
    if what == "conv: a flat code":  # what is flat has no maps
        labels = list(drawn_rows(run.figures["layers.png"]))
        assert not [label for label in labels if "(128,)" in label]


def test_deep_is_split_at_any_layer(changed_run):
    """By the one number of the script; here in a network that is decoder(encoder(x))."""
    run = changed_run("deep", {**NESTED, "split = -1": "split = -2"})
    assert_all_is_shown_and_true(run, "deep")
    assert [row.code for row in rows_of(run.said)] == [32, 32, 128, 128]


def in_colour(x, shape):
    """Code that makes images in three colours of digits x, in a shape."""
    return f"{x} = {x}[:, 6:22, 6:22].repeat(3).reshape({shape})"


OTHER_IMAGES = {
    "x_train = x_train.reshape(len(x_train), 28, 28, 1)": in_colour("x_train", "-1, 8, 32, 3"),
    "x_test = x_test.reshape(len(x_test), 28, 28, 1)": in_colour("x_test", "-1, 8, 32, 3"),
    "Input(shape=(28, 28, 1))": "Input(shape=(8, 32, 3))",
    'x = Conv2D(16, (3, 3), activation="relu")(x)': (
        'x = Conv2D(16, (3, 3), activation="relu", padding="same")(x)'
    ),
    "decoded = Conv2D(1, ": "decoded = Conv2D(3, ",
}


def test_images_of_another_size_in_colour(changed_run):
    """Numbers change where the images are loaded and in the network, as the README says.

    PCA's images have the shape of the originals.
    """
    run = changed_run("conv", OTHER_IMAGES)
    assert_all_is_shown_and_true(run, "conv")
    original, network, pca = drawn_rows(run.figures["pca.png"]).values()
    assert original[0].shape == network[0].shape == pca[0].shape


def test_early_stopping(changed_run):
    """As the README has it: what gains too little ends after so many epochs of patience."""
    stop = "keras.callbacks.EarlyStopping(patience=2, min_delta=10, restore_best_weights=True)"
    changes = {
        "validation_data=(x_test, x_test),": "validation_split=0.1,",
        "[common.StopOnCtrlC()]": f"[common.StopOnCtrlC(), {stop}]",
    }
    run = changed_run("simple", changes, "--epochs", "9")
    assert len(run.autoencoder.history.history["val_loss"]) == 3
    assert_all_is_shown_and_true(run, "simple")


def test_noise_that_stays_on_is_seen(changed_run):
    """A layer of one's own that adds noise after the training, too: loaded is not trained."""
    noise = """
@keras.saving.register_keras_serializable()
class Noise(Layer):
    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x))


"""
    run = changed_run("simple", {OUTPUT: f"{noise}encoded = Noise()(encoded)\n{OUTPUT}"})
    assert float(re.search(r"differ by (\S+) \(rounding", run.said)[1]) > 1e-3
    assert len(rows_of(run.said)) == 2  # and the table comes all the same
