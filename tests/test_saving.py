"""Saved models: whole, bit for bit, and never a way to run somebody's code."""

import errno
import os
import pickle
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import contents

import common


def network(size=2, activation="relu"):
    """An autoencoder, its encoder and its decoder."""
    x = keras.Input((784,))
    code = keras.layers.Dense(size, activation)(x)
    drawn = keras.layers.Dense(784, "sigmoid")(code)
    return [keras.Model(x, drawn), keras.Model(x, code), keras.Model(code, drawn)]


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """The working folder, with a small saved model, named any."""
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
    other_shapes = pickle.dumps([("<f4", (2, 784), bytes(6272))])
    for content in (path.read_bytes()[:-1], pickle.dumps(Hostile()), other_shapes):
        assert_refused(path, content)


def test_hostile_configuration(saved):
    path = saved / "any_config.pkl"
    config = pickle.loads(path.read_bytes())
    with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
        function = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
    config["layers"][1]["config"]["activation"] = function
    assert_refused(path, pickle.dumps(config))


def test_mix_of_two_runs_is_refused(digits, capsys):
    x = digits[1][0][:100].reshape(-1, 784)
    whole, encoder, decoder = network()
    common.check_parts(whole, encoder, decoder, x)
    assert "differ by 0 at most" in capsys.readouterr().out
    other = network(activation="tanh")[1]
    other.set_weights(encoder.get_weights())
    # Other weights, another configuration, the whole for a part, another size.
    mixes = (encoder, network()[2]), (other, decoder), (whole, decoder), network(3)[1:]
    for parts in mixes:
        with pytest.raises(common.UserError, match="^the networks are not of one .*$"):
            common.check_parts(whole, *parts, x)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(bad, saved):
    before, model = contents(saved), network()[1]
    kernel, bias = model.get_weights()
    kernel[3, 1] = bad  # one of many
    model.set_weights([kernel, bias])
    with pytest.raises(common.UserError, match=r"^.*diverged.*--learning-rate$"):
        common.save_model(model, "any", saved)
    assert contents(saved) == before != {}


def test_disk_that_is_full_leaves_the_earlier_files(saved, monkeypatch):
    before, real = contents(saved), Path.write_bytes

    def write_half(path, data):
        real(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_half)
        said = "^any_config.pkl cannot be written .*No space left.*$"
        with pytest.raises(common.UserError, match=said):
            common.save_model(network(3)[1], "any", "")
    assert contents(saved) == before != {}
