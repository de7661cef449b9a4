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
from helpers import contents, network


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """The working folder, with a small saved encoder, named any."""
    common.save_model(network()[1], "any", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_refused(path, content):
    """A model is refused in one line because of a file, and nothing is run."""
    path.write_bytes(content)
    said = rf"^{path.name} is missing, damaged, or .*; train again, without --load .*$"
    with pytest.raises(common.UserError, match=said):
        common.load_model("any", "")
    assert not Path("ran").exists()


class Hostile:
    """Pickles to a call, which makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_hostile_or_no_pickle_of_a_model(part, saved):
    path = saved / f"any_{part}.pkl"
    cut_off = path.read_bytes()[:-1]
    other_shapes = pickle.dumps([("<f4", (2, 784), bytes(6272))])
    for content in (cut_off, pickle.dumps(Hostile()), other_shapes):
        assert_refused(path, content)


def test_hostile_configuration(saved):
    path = saved / "any_config.pkl"
    config = pickle.loads(path.read_bytes())

    with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
        function = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
    config["layers"][1]["config"]["activation"] = function
    assert_refused(path, pickle.dumps(config))


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_network_of_either_kind(kind, tmp_path):
    if kind == "functional":
        model = network()[0]
    else:
        model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(3)])
    common.save_model(model, "any", tmp_path)
    x = np.ones((1, 784), "float32")
    loaded = common.load_model("any", tmp_path)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_part_has_the_layers_of_the_whole(tmp_path):
    """Who changes the loaded whole changes its loaded parts."""
    autoencoder, encoder, _ = network()
    common.save_model(autoencoder, "autoencoder", tmp_path)
    common.save_model(encoder, "encoder", tmp_path)
    whole = common.load_model("autoencoder", tmp_path)
    part = common.load_model("encoder", tmp_path, whole=whole)
    whole.layers[1].set_weights([np.zeros((784, 2)), np.array([1, 2])])
    assert part(np.ones((1, 784)))[0].numpy().tolist() == [1, 2]


@pytest.mark.parametrize("size", [2, 3])
def test_part_of_another_run_is_refused(size, tmp_path):
    """Of the same network with other weights, and of a network with another code."""
    whole = network()[0]
    common.save_model(network(size)[1], "encoder", tmp_path)
    with pytest.raises(
        common.UserError, match="^.*encoder_weights.pkl .*of another run.*$"
    ):
        common.load_model("encoder", tmp_path, whole=whole)


def test_parts_that_belong_together(digits):
    x = digits[1][0][:100].reshape(-1, 784)
    autoencoder, encoder, decoder = network()
    common.check_parts(autoencoder, encoder, decoder, x)


@pytest.mark.parametrize("what", ["weights", "activation", "whole for a part", "size"])
def test_parts_that_do_not_belong_together(what, digits):
    x = digits[1][0][:100].reshape(-1, 784)
    autoencoder, encoder, decoder = network()
    if what == "weights":
        decoder = network()[2]
    elif what == "activation":
        other = network(activation="tanh")[1]
        other.set_weights(encoder.get_weights())
        encoder = other
    elif what == "whole for a part":
        encoder = autoencoder
    else:
        encoder = network(3)[1]
    with pytest.raises(common.UserError, match="^encoder and decoder are no parts .*$"):
        common.check_parts(autoencoder, encoder, decoder, x)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(bad, saved):
    before = contents(saved)
    model = network()[1]
    kernel, bias = model.get_weights()
    kernel[3, 1] = bad  # one of many
    model.set_weights([kernel, bias])
    with pytest.raises(common.UserError, match=r"^.*diverged.*--learning-rate$"):
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
        said = "^any_config.pkl cannot be written .*No space left.*$"
        with pytest.raises(common.UserError, match=said):
            common.save_model(network(3)[1], "any", "")
    assert contents(saved) == before
    assert len(before) == 2
