"""Saved models: whole, bit for bit, and never a way to run somebody's code."""

import common

import errno
import os
import pickle
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import SCRIPTS, contents, predict


def network(size=2, activation="relu"):
    """An autoencoder for flat digits, its encoder and its decoder."""
    x = keras.Input((784,))
    code = keras.layers.Dense(size, activation, name="code")(x)
    decoded = keras.layers.Dense(784, "sigmoid", name="decoded")(code)
    return keras.Model(x, decoded), keras.Model(x, code), keras.Model(code, decoded)


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_saved_is_what_was_trained(name, first_run):
    """Bit for bit; and each part has the weights of the whole."""
    run = first_run(name)
    trained = run.history.model.get_weights()
    saved = common.load_model("autoencoder", run.folder).get_weights()
    encoder = common.load_model("encoder", run.folder).get_weights()
    decoder = common.load_model("decoder", run.folder).get_weights()
    for parts in (saved, encoder + decoder):
        for array, learnt in zip(parts, trained, strict=True):
            assert array.tobytes() == learnt.tobytes()


@pytest.mark.parametrize("name", SCRIPTS)
def test_codes_and_images_are_the_saved_networks(name, first_run):
    run = first_run(name)
    codes = predict(common.load_model("encoder", run.folder), run.x_test)
    images = predict(common.load_model("decoder", run.folder), codes)
    np.testing.assert_allclose(run.encoded_imgs, codes, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(run.decoded_imgs, images, atol=1e-5)
    np.testing.assert_allclose(images, predict(run.history.model, run.x_test), atol=1e-5)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """The working folder, with a small saved encoder, named any."""
    common.save_model(network()[1], "any", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Hostile:
    """Pickles to a call, which makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_hostile_pickle(part, saved):
    (saved / f"any_{part}.pkl").write_bytes(pickle.dumps([Hostile()]))
    with pytest.raises(pickle.UnpicklingError, match=r"asks for \w+\.mkdir, which is refused"):
        common.load_model("any", "")
    assert not Path("ran").exists()


def test_hostile_configuration(saved):
    path = saved / "any_config.pkl"
    config = pickle.loads(path.read_bytes())
    with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
        function = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
    config["layers"][1]["config"]["activation"] = function
    path.write_bytes(pickle.dumps(config))
    with pytest.raises(TypeError, match="safe_mode"):
        common.load_model("any", "")
    assert not Path("ran").exists()


@pytest.mark.parametrize("part", ["config", "weights"])
def test_file_that_is_missing(part, saved):
    (saved / f"any_{part}.pkl").unlink()
    with pytest.raises(common.UserError, match=r"^any_config\.pkl or its weights are missing"):
        common.load_model("any", "")


def test_sequential_network(tmp_path):
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(3)])
    common.save_model(model, "any", tmp_path)
    x = np.ones((1, 784), "float32")
    loaded = common.load_model("any", tmp_path)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_part_shares_the_layers_of_the_whole(tmp_path):
    """Who changes the loaded whole changes its loaded parts."""
    autoencoder, encoder, _ = network()
    common.save_model(autoencoder, "autoencoder", tmp_path)
    common.save_model(encoder, "encoder", tmp_path)
    whole = common.load_model("autoencoder", tmp_path)
    part = common.load_model("encoder", tmp_path, share_layers_with=whole)
    whole.layers[1].set_weights([np.zeros((784, 2)), np.array([1, 2])])
    assert part(np.ones((1, 784)))[0].numpy().tolist() == [1, 2]


def test_part_of_another_run_is_refused(tmp_path):
    whole = network()[0]
    common.save_model(network()[1], "encoder", tmp_path)
    with pytest.raises(common.UserError, match=r"^.*encoder_weights.pkl .*the same run.*$"):
        common.load_model("encoder", tmp_path, share_layers_with=whole)


def test_check_before_training(tmp_path):
    """Good parts pass, and nothing is left behind; others are refused, in one line."""
    autoencoder, encoder, decoder = network()
    folder = tmp_path / "new" / "folder"
    common.check_before_training(autoencoder, encoder, decoder, folder)
    assert list(folder.iterdir()) == []
    other = network()
    said = "^encoder and decoder must be parts of the autoencoder, .*$"
    for parts in ((other[1], decoder), (encoder, other[2])):
        with pytest.raises(common.UserError, match=said):
            common.check_before_training(autoencoder, *parts, folder)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(bad, saved):
    before = contents(saved)
    model = network()[1]
    kernel, bias = model.get_weights()
    kernel[3, 1] = bad  # one of many
    model.set_weights([kernel, bias])
    with pytest.raises(common.UserError, match=r"^.*diverged.*rate$"):
        common.save_model(model, "any", saved)
    assert contents(saved) == before
    assert len(before) == 2


def test_disk_that_is_full_leaves_the_earlier_files(saved, monkeypatch):
    before = contents(saved)
    write_bytes = Path.write_bytes

    def write_half(path, data):
        write_bytes(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_half)
        with pytest.raises(OSError, match="No space left"):
            common.save_model(network(3)[1], "any", "")
    assert contents(saved) == before
    assert len(before) == 2
