"""Saved models: whole, bit for bit, and never a way to run somebody's code."""

import errno
import os
import pickle
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import SCRIPTS, contents

import common


@pytest.mark.parametrize("name", SCRIPTS)
def test_bit_for_bit(name, first_runs, tmp_path):
    run = first_runs[name]
    for model in (run.autoencoder, run.encoder, run.decoder):
        common.save_model(model, "any", str(tmp_path))  # the folder as a text
        loaded = common.load_model("any", str(tmp_path))
        assert loaded.get_config() == model.get_config()
        for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def network(size=2, activation="relu"):
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


def test_the_files_are_two_pickles_of_plain_data(saved):
    paths = sorted(saved.iterdir())
    assert [path.name for path in paths] == ["any_config.pkl", "any_weights.pkl"]
    config, weights = (pickle.loads(path.read_bytes()) for path in paths)
    assert type(config) is dict and config["layers"][1]["class_name"] == "Dense"
    assert [w[:2] for w in weights] == [("<f4", (784, 2)), ("<f4", (2,))]


def refused(path):
    """The one line with which a model is refused because of a file."""
    with pytest.raises(common.UserError) as caught:
        common.load_model("any", path.parent)
    line = str(caught.value)
    assert line.startswith(f"{path} is missing, damaged, or ") and "\n" not in line
    assert "; train again, without --load" in line
    return line


class Hostile:
    """Pickles to a call, which makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


HOSTILE = pickle.dumps(Hostile())
NO_MODEL = {
    "a call": lambda whole: HOSTILE,
    "nothing": lambda whole: b"",
    "all but the end": lambda whole: whole[:-1],
    "an array": lambda whole: pickle.dumps([np.zeros((784, 2), "float32")]),
    "other shapes": lambda whole: pickle.dumps([("<f4", (2, 784), bytes(6272))]),
}


@pytest.mark.parametrize("part", ["config", "weights"])
@pytest.mark.parametrize("kind", NO_MODEL)
def test_hostile_or_no_pickle_of_a_model(kind, part, saved):
    path = saved / f"any_{part}.pkl"
    path.write_bytes(NO_MODEL[kind](path.read_bytes()))
    refused(path)
    assert not (saved / "ran").exists()
    if kind == "a call":  # which Python's own unpickler runs
        pickle.loads(HOSTILE)
        assert (saved / "ran").exists()
    path.unlink()
    assert "No such file" in refused(path)


with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
    LAMBDA = keras.layers.Lambda(lambda x: os.mkdir("ran") or x).get_config()
    FUNCTION = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
# What a configuration can hold in the place of a layer, as was published, ...
LAYERS = {
    "keras.layers.Lambda": LAMBDA,  # CVE-2026-12481
    "os.system": {"command": "mkdir ran"},  # CVE-2025-1550
    "keras.config.enable_unsafe_deserialization": {},  # CVE-2025-9906
}
# ... and in the place of an activation or a regularizer.
PLACES = ("activation", "activity_regularizer")


@pytest.mark.parametrize("what", [*LAYERS, *PLACES])
def test_hostile_configuration(what, saved):
    path = saved / "any_config.pkl"
    config = pickle.loads(path.read_bytes())
    layer = config["layers"][1]
    if what in PLACES:
        layer["config"][what] = FUNCTION
    else:
        layer["module"], _, layer["class_name"] = what.rpartition(".")
        layer["config"] = LAYERS[what] | {"name": layer["name"]}
    path.write_bytes(pickle.dumps(config))
    refused(path)
    assert not (saved / "ran").exists()


def other_activation(models, others):
    others[1].set_weights(models[1].get_weights())
    return [models[0], others[1], models[2]]


MIXES = {
    "other weights": lambda models, others: [*models[:2], others[2]],
    "another configuration": other_activation,
    "the whole for a part": lambda models, others: [models[0], models[0], models[2]],
    "another size": lambda models, others: [models[0], *network(3)[1:]],
}


@pytest.mark.parametrize("kind", MIXES)
def test_mix_of_two_runs_is_refused(kind, digits, capsys):
    x = digits[1][0][:100].reshape(-1, 784)
    models, others = network(), network(activation="tanh")
    common.check_parts(*models, x)
    assert "differ by 0 at most" in capsys.readouterr().out
    with pytest.raises(
        common.UserError, match=r"^the networks are not of one run; .*$"
    ):
        common.check_parts(*MIXES[kind](models, others), x)


def test_network_that_draws_random_numbers_is_no_mix(digits):
    x = keras.Input((784,))
    code = keras.layers.Dense(4)(keras.layers.GaussianNoise(0.1)(x, training=True))
    drawn = keras.layers.Dense(784)(code)
    models = keras.Model(x, drawn), keras.Model(x, code), keras.Model(code, drawn)
    common.check_parts(*models, digits[1][0][:100].reshape(-1, 784))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_refuses_a_mix(name, first_runs, run, tmp_path):
    (tmp_path / name).mkdir()
    for path in first_runs[name].args.folder.glob("*.pkl"):
        (tmp_path / name / path.name).write_bytes(path.read_bytes())
    decoder = common.load_model("decoder", tmp_path / name)
    decoder.set_weights([w + 0.1 for w in decoder.get_weights()])
    common.save_model(decoder, "decoder", tmp_path / name)
    with pytest.raises(common.UserError, match="not of one run"):
        run(name, "--load")


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
        with pytest.raises(
            common.UserError, match=r"^.*any_config.pkl.*No space left.*$"
        ):
            common.save_model(network(3)[1], "any", saved)
    assert contents(saved) == before != {}
