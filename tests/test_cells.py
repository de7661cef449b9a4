"""Cells run again, in order, from any one on, and what readers change in a script."""

import common

import functools

import numpy as np
import pytest
from helpers import SCRIPTS, Cells, changed_script, entropy, predict, table

STARTS = ["加载保存的模型", "建立网络", "加载数据", "画图：原图"]


def assert_saved_networks_belong_together(cells):
    """The three networks in the folder are of one run, and those of the cells."""
    x = cells.x_test[:20]
    autoencoder = common.load_model("autoencoder", cells.folder)
    encoder = common.load_model("encoder", cells.folder)
    decoder = common.load_model("decoder", cells.folder)
    whole = predict(autoencoder, x)
    np.testing.assert_allclose(predict(decoder, predict(encoder, x)), whole, atol=1e-5)
    np.testing.assert_allclose(predict(cells.autoencoder, x), whole, atol=1e-5)
    np.testing.assert_allclose(cells.decoded_imgs[:20], whole, atol=1e-5)


@pytest.fixture(scope="module")
def run_twice(few, tmp_path_factory):
    """A script's cells, run from 加载数据 to the loading, and then from 编译 on; made once."""

    @functools.cache
    def call(name):
        cells = Cells(name, few, tmp_path_factory.mktemp(name))
        cells.args.optimizer = "adam"
        for title in ("加载数据", "建立网络", "编译", "加载保存的模型"):
            cells.run(title)
        cells.first_losses = cells.history.history["val_loss"]
        cells.run_from("编译")
        return cells

    return call


@pytest.mark.parametrize("name", SCRIPTS)
def test_cells_run_again_keep_the_networks_together(name, run_twice):
    assert_saved_networks_belong_together(run_twice(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_training_goes_on_after_loading(name, run_twice):
    cells = run_twice(name)
    assert cells.history.history["val_loss"][0] < cells.first_losses[-1]


@pytest.mark.parametrize("start", STARTS)
def test_cells_can_be_run_again_from_any_one_on(start, run_twice):
    cells = run_twice("simple")
    cells.run_from(start)
    assert_saved_networks_belong_together(cells)


def test_training_goes_on_in_another_session(run_twice, few):
    """After --load, or args.load = True."""
    before = run_twice("simple")
    loss = entropy(before.x_test, before.decoded_imgs)
    cells = Cells("simple", few, before.folder.parent)
    cells.args.load = True
    cells.run_from("加载数据")
    np.testing.assert_allclose(cells.decoded_imgs, before.decoded_imgs, atol=1e-5)
    cells.args.load = False
    cells.run_from("编译")
    assert entropy(cells.x_test, cells.decoded_imgs) < loss
    assert_saved_networks_belong_together(cells)


def test_first_cell_can_be_run_again(few, tmp_path):
    cells = Cells("simple", few, tmp_path)
    cells.run("准备")
    assert cells.args.epochs == 50  # the defaults hold again


def test_networks_that_do_not_belong_together_are_not_saved(few, tmp_path):
    """A decoder of other weights, as a reader may build it by mistake."""
    wrong = "decoder = Model(encoded, decoded)"
    right = "wrong = Input((16,))\ndecoder = Model(wrong, Dense(784, 'sigmoid')(wrong))"
    path = changed_script(tmp_path, "simple", {wrong: right})
    text = path.read_text(encoding="utf-8")
    cells = Cells("simple", few, tmp_path / "models")
    cells.cells = text.split("# %% ")[1:]
    cells.run("加载数据")
    cells.run("建立网络")
    with pytest.raises(common.UserError, match="no parts of this autoencoder"):
        cells.run("编译")
    assert not list((tmp_path / "models" / "simple").iterdir())


# What readers try first: a script, and what they replace in it by what.
OUTPUT = "decoded = Dense(784, "
EXPERIMENTS = {
    "Dropout and batches normalised": (
        "simple",
        {OUTPUT: f"encoded = BatchNormalization()(Dropout(0.5)(encoded))\n{OUTPUT}"},
    ),
    "noise that stays": (
        "simple",
        {OUTPUT: f"encoded = Dropout(0.5)(encoded, training=True)\n{OUTPUT}"},
    ),
    "a second layer of the decoder": (
        "simple",
        {"(encoded)\n\n": '(Dense(100, "relu")(encoded))\n\n'},
    ),
    "a network of networks": (
        "simple",
        {
            "autoencoder.summary()": "autoencoder = Model(input_img, decoder(encoder(input_img)))"
        },
    ),
    "a code of one axis": (
        "conv",
        {
            'encoded = MaxPooling2D((2, 2), padding="same")(x)': (
                'x = MaxPooling2D((2, 2), padding="same")(x)\n'
                "encoded = Dense(128)(Flatten()(x))"
            ),
            '"same")(encoded)': '"same")(Reshape((4, 4, 8))(encoded))',
        },
    ),
}


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, run, tmp_path):
    """It trains, saves, loads, and draws; and the parts make up the whole."""
    name, changes = EXPERIMENTS[what]
    path = changed_script(tmp_path, name, changes, "from keras.layers import *")
    done = run(path, "--epochs", "1")
    assert len(table(done.said)) in (2, 4)
    if what != "noise that stays":
        images = predict(done.autoencoder, done.x_test)
        np.testing.assert_allclose(done.decoded_imgs, images, atol=1e-5)


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, run, tmp_path):
    changes = {OUTPUT: f"encoded = {layer}(abs)(encoded)\n{OUTPUT}"}
    path = changed_script(tmp_path, "simple", changes, "from keras.layers import *")
    with pytest.raises(common.UserError, match="^.*register_keras_ser.*$") as caught:
        run(path, "--epochs", "1")
    assert "Epoch" not in caught.value.said
