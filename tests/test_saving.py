"""Saved models: whole, bit for bit, and never a way to run somebody's code."""

import contextlib
import errno
import os
import pickle
import warnings

import keras
import numpy as np
import pytest

import common
import conv_autoencoder
import deep_autoencoder
import simple_autoencoder

BUILDS = {
    "simple": simple_autoencoder.build,
    "deep": lambda: deep_autoencoder.split(deep_autoencoder.build(), "32"),
    "conv": conv_autoencoder.build,
}


@pytest.mark.parametrize("kind", BUILDS)
def test_bit_for_bit(kind, tmp_path, digits):
    for model in BUILDS[kind]():
        common.save_model(model, "any", tmp_path)
        loaded = common.load_model("any", tmp_path)
        assert loaded.get_config() == model.get_config()
        for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes()
        x = np.resize(digits[1], (3, *model.input.shape[1:]))
        np.testing.assert_array_equal(
            loaded.predict(x, verbose=0), model.predict(x, verbose=0)
        )


@pytest.fixture
def saved(tmp_path):
    """A folder with a small saved model, named any."""
    model = simple_autoencoder.build(encoding_dim=2)[1]
    common.save_model(model, "any", tmp_path)
    return tmp_path


def test_the_files_are_two_pickles_of_plain_data(saved):
    config, weights = (
        pickle.loads((saved / f"any_{part}.pkl").read_bytes())
        for part in ("config", "weights")
    )
    assert type(config) is dict and config["layers"][1]["class_name"] == "Dense"
    assert [w[:2] for w in weights] == [("<f4", (784, 2)), ("<f4", (2,))]


def refused(folder, name="any", **more):
    """The one line with which a model is refused."""
    with pytest.raises(common.UserError) as caught:
        common.load_model(name, folder, **more)
    line = str(caught.value)
    assert "\n" not in line
    assert "train" in line and "--load" in line  # what to do
    return line


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def opcodes(*parts):
    return pickle.PROTO + b"\x04" + b"".join(parts) + pickle.STOP


MKDIR = Calls(os.mkdir, "ran")
# Each makes a folder `ran` where Python's own unpickler reads it.
HOSTILE = {
    "a call": pickle.dumps(MKDIR),
    "an old class": opcodes(b"(S'ran'\nios\nmkdir\n"),
}
NO_MODEL = {
    "empty": b"",
    "an array": pickle.dumps([np.zeros((784, 2), "float32"), np.zeros(2, "float32")]),
    "a global": opcodes(b"cbuiltins\neval\n"),
    "other shapes": pickle.dumps([("<f4", (2, 784), bytes(6272))]),
    "objects": pickle.dumps([("O", (784, 2), bytes(12544)), ("<f4", (2,), bytes(8))]),
}


@pytest.mark.parametrize("part", ["config", "weights"])
@pytest.mark.parametrize("kind", HOSTILE | NO_MODEL)
def test_hostile_or_no_pickle_of_a_model(kind, part, saved, monkeypatch):
    monkeypatch.chdir(saved)
    (saved / f"any_{part}.pkl").write_bytes((HOSTILE | NO_MODEL)[kind])
    assert f"any_{part}.pkl" in refused(saved)
    assert not (saved / "ran").exists()
    if kind in HOSTILE:  # by Python's own unpickler
        pickle.loads(HOSTILE[kind])
        assert (saved / "ran").exists()


@pytest.mark.parametrize("part", ["config", "weights"])
def test_cut_short_or_missing(part, saved):
    path = saved / f"any_{part}.pkl"
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert f"any_{part}.pkl is missing, damaged, or " in refused(saved)
    path.unlink()
    assert f"any_{part}.pkl is missing" in refused(saved)


with warnings.catch_warnings(action="ignore"):  # Keras's: this is unsafe
    HOSTILE_LAMBDA = keras.layers.Lambda(lambda x: os.mkdir("ran") or x).get_config()
    SAVED_LAMBDA = keras.saving.serialize_keras_object(lambda x: os.mkdir("ran") or x)
WORDS = {"vocabulary": "words.txt", "standardize": None, "split": None}
# What a configuration can hold in the place of a layer; in comments, what was published.
LAYERS = {
    "keras.layers.Lambda": HOSTILE_LAMBDA,  # CVE-2026-12481
    "os.system": {"command": "mkdir ran"},  # CVE-2025-1550
    "keras.utils.get_file": {"fname": "ran", "origin": "file:///x"},
    "keras.src.utils.file_utils.makedirs": {"path": "ran"},  # CVE-2025-8747
    "keras.config.enable_unsafe_deserialization": {},  # CVE-2025-9906
    "keras.layers.TFSMLayer": {"filepath": "x"},  # CVE-2026-1462
    "keras.layers.TorchModuleWrapper": {"module": "x"},  # CVE-2025-49655
    "keras.layers.JaxLayer": {"call_fn": SAVED_LAMBDA},
    "keras.layers.StringLookup": WORDS,  # CVE-2025-12058
}
# What it can hold in the place of an activation, an initializer or a regularizer.
EVAL = {"module": "builtins", "class_name": "function", "config": "eval"}
VALUES = {"a saved lambda": SAVED_LAMBDA, "eval": EVAL, "eval by name": "eval"}


def hostile_configs():
    for path, config in LAYERS.items():
        module, _, name = path.rpartition(".")
        layer = {"class_name": name, "config": config | {"name": "dense"}}
        yield f"{name}, old form", layer
        for registered in (None, f"{module}>{name}"):
            new = {"module": module, "registered_name": registered}
            yield f"{name}, registered as {registered}", layer | new
    for kind, value in VALUES.items():
        for place in ("activation", "kernel_initializer", "activity_regularizer"):
            yield f"{kind} as {place}", {"config": {place: value}}


CONFIGS = dict(hostile_configs())


@pytest.mark.parametrize("kind", CONFIGS)
def test_hostile_configuration(kind, saved, monkeypatch):
    monkeypatch.chdir(saved)
    (saved / "words.txt").write_text("secret\n")
    path, change = saved / "any_config.pkl", dict(CONFIGS[kind])
    config = pickle.loads(path.read_bytes())
    layer = config["layers"][1]
    if "class_name" not in change:
        change["config"] = layer["config"] | change["config"]
    elif "module" not in change:
        del layer["module"]
    layer.update(change)
    path.write_bytes(pickle.dumps(config))
    assert "any_config.pkl" in refused(saved)
    assert not (saved / "ran").exists()
    # Nor is anything left switched on for the next one.
    with pytest.raises(ValueError, match="lambda"):
        keras.saving.deserialize_keras_object(SAVED_LAMBDA)


def test_mix_of_two_runs_is_refused(tmp_path):
    """What is there after each move, where one run saves over the files of another."""
    names = "autoencoder", "encoder", "decoder"
    files = [f"{name}_{part}.pkl" for name in names for part in ("config", "weights")]
    models = simple_autoencoder.build(encoding_dim=3)
    runs = []
    for _ in range(2):
        for name, model in zip(names, models, strict=True):
            common.save_model(model, name, tmp_path)
        runs.append({file: (tmp_path / file).read_bytes() for file in files})
        models[0].set_weights([w + 0.01 for w in models[0].get_weights()])
    for moved in range(7):
        new = dict.fromkeys(files[:moved])
        for file in files:
            (tmp_path / file).write_bytes(runs[file in new][file])
        differ = {x in new for x in files if runs[0][x] != runs[1][x]}
        mixed = differ == {True, False}
        autoencoder = common.load_model("autoencoder", tmp_path)
        with pytest.raises(common.UserError) if mixed else contextlib.nullcontext():
            for name in names[1:]:
                common.load_model(name, tmp_path, part_of=autoencoder)


def test_disk_that_is_full_leaves_the_earlier_files(saved, monkeypatch):
    before = {path: path.read_bytes() for path in saved.iterdir()}
    real = type(saved).write_bytes

    def write_half(path, data):
        real(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(saved), "write_bytes", write_half)
    with pytest.raises(OSError, match="No space left"):
        common.save_model(simple_autoencoder.build(3)[1], "any", saved)
    assert {path: path.read_bytes() for path in saved.iterdir()} == before
