"""Saved models: whole, bit for bit, and never a way to run somebody's code."""

import copyreg
import hashlib
import io
import os
import pickle
import random
import shutil
import time
import tracemalloc

import keras
import numpy as np
import pytest

import common
import conv_autoencoder
import deep_autoencoder
import simple_autoencoder

MODELS = [
    *(f"{name} {part}" for name in ("simple", "wide", "conv") for part in range(3)),
    "deep",
    *(f"deep {layer} {part}" for layer in deep_autoencoder.SPLITS for part in range(2)),
]


@pytest.mark.parametrize("kind", MODELS)
def test_bit_for_bit(kind, tmp_path, sample):
    match kind.split():
        case ["simple", part]:
            model = simple_autoencoder.build()[int(part)]
        case ["wide", part]:
            model = simple_autoencoder.build(encoding_dim=800, l1=0)[int(part)]
        case ["conv", part]:
            model = conv_autoencoder.build()[int(part)]
        case ["deep"]:
            model = deep_autoencoder.build()
        case ["deep", layer, part]:
            model = deep_autoencoder.split(deep_autoencoder.build(), layer)[int(part)]
    common.save_model(model, "any", tmp_path / "made" / "when missing")
    loaded = common.load_model("any", tmp_path / "made" / "when missing")
    assert loaded.get_config() == model.get_config()
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes()
    x = np.resize(sample[1], (3, *model.input.shape[1:]))
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )


@pytest.fixture
def saved(tmp_path):
    """A folder with a small saved model, named any."""
    model = simple_autoencoder.build(encoding_dim=2)[1]
    common.save_model(model, "any", tmp_path)
    return tmp_path


def test_the_files_are_the_post_s_two_pickles(saved):
    with open(saved / "any_config.pkl", "rb") as file:
        assert type(pickle.load(file)) is dict
    with open(saved / "any_weights.pkl", "rb") as file:
        shapes = [w.shape for w in pickle.load(file)]
    assert shapes == [(784, 2), (2,)]
    assert len(list(saved.iterdir())) == 2


def rewrite(path, change):
    """Replace what a saved file holds, keeping its seal."""
    with open(path, "rb") as file:
        content, seal = pickle.load(file), pickle.load(file)
    with open(path, "wb") as file:
        file.write(change(content))
        pickle.dump(seal, file)


def refused(folder, name="any"):
    """The one line with which a model is refused."""
    with pytest.raises(common.UserError) as caught:
        common.load_model(name, folder)
    line = str(caught.value)
    assert "\n" not in line
    assert "train" in line and "--load" in line  # what to do
    return line


def as_numpy_1(data):
    """A pickle of NumPy 2 with the module names of NumPy 1."""
    assert b"numpy._core" in data
    if data[2:3] == pickle.FRAME:  # the frame's length would be wrong: go without
        data = data[:2] + data[11:]
    for module in (b"numpy._core.multiarray", b"numpy._core.numeric"):
        old = module.replace(b"_core", b"core")
        # Protocols 4 and 5 put a length before the text.
        data = data.replace(bytes([len(module)]) + module, bytes([len(old)]) + old)
        data = data.replace(module, old)
    return data


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("numpy_version", [1, 2])
def test_pickles_of_numpy_1_and_2(saved, numpy_version, protocol):
    def change(weights):
        data = pickle.dumps(weights, protocol)
        return as_numpy_1(data) if numpy_version == 1 else data

    before = common.load_model("any", saved).get_weights()
    rewrite(saved / "any_weights.pkl", change)
    assert (
        b"numpy._core" in (saved / "any_weights.pkl").read_bytes() or numpy_version == 1
    )
    after = common.load_model("any", saved).get_weights()
    assert all(map(np.array_equal, before, after))


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class SetsState:
    def __reduce__(self):
        return common._PickledDtype, ("f4",), Calls(os.mkdir, "ran")


def opcodes(*parts):
    return pickle.PROTO + b"\x04" + b"".join(parts) + pickle.STOP


def text(words):
    return pickle.SHORT_BINUNICODE + bytes([len(words)]) + words.encode()


def hostile_pickles():
    """Each would make a folder `ran` where it is loaded, or more, if it were let."""
    mkdir = Calls(os.mkdir, "ran")
    yield "reduce", pickle.dumps(mkdir)
    yield "os.system", pickle.dumps(Calls(os.system, "mkdir ran"))
    yield "eval", pickle.dumps(Calls(eval, "__import__('os').mkdir('ran')"))
    yield "in a list", pickle.dumps([np.zeros(2), mkdir])
    yield "in an object array", pickle.dumps([np.array([mkdir], dtype=object)])
    yield "nested", pickle.dumps(Calls(pickle.loads, pickle.dumps(mkdir)))
    yield "state", pickle.dumps(SetsState())
    yield "getattr", pickle.dumps(Calls(getattr, "", "join"))
    for module, name in [
        ("numpy.core.multiarray", "_reconstruct.__globals__"),
        ("numpy._core.multiarray", "_reconstruct.__call__"),
        ("numpy", "dtype.__class__"),
        ("numpy", "load"),
        ("numpy._core._core.multiarray", "_reconstruct"),
        ("common", "UserError"),
        ("os\n", "mkdir"),
        ("", "eval"),
    ]:
        yield (
            f"global {module!r} {name}",
            opcodes(text(module), text(name), pickle.STACK_GLOBAL),
        )
    yield "old class", opcodes(b"(S'ran'\nios\nmkdir\n")
    yield "persistent id", opcodes(b"Pmkdir\n")
    yield "binary persistent id", opcodes(text("ran"), pickle.BINPERSID)
    yield "extension code", opcodes(pickle.EXT1 + b"\x07", text("ran"), b"\x85R")
    yield "out-of-band buffer", opcodes(pickle.NEXT_BUFFER)
    # Claims of size: 2 ** 62 bytes, a memo of 2 ** 27 places, a list without end.
    yield "huge bytes", opcodes(pickle.BINBYTES8 + (2**62).to_bytes(8, "little"))
    yield "huge frame", opcodes(pickle.FRAME + (2**62).to_bytes(8, "little"), b"N")
    yield (
        "huge memo",
        opcodes(b"N", pickle.LONG_BINPUT + (2**27).to_bytes(4, "little")),
    )
    yield (
        "huge array",
        opcodes(
            pickle.dumps(np.zeros(1), 3)[2:-1].replace(
                b"K\x01\x85", b"J\xff\xff\xff\x7f\x85"
            )
        ),
    )
    yield "deep list", opcodes(b"]" * 1_000_000, b"a" * 999_999)
    yield "deep tuple as a key", opcodes(b"}", b")", b"\x85" * 1_000_000, b"Ns")
    doubling = b"".join(
        b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(200)
    )
    yield "two to the 200", opcodes(b"N", doubling)
    yield "two to the 200, as a list", opcodes(b"]", b"N", doubling, b"a")


HOSTILE = dict(hostile_pickles())


@pytest.mark.parametrize("part", ["config", "weights"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickle(kind, part, saved, monkeypatch):
    monkeypatch.chdir(saved)
    copyreg.add_extension("os", "mkdir", 7)
    copyreg._extension_cache[7] = os.mkdir  # as after somebody's pickle.load
    try:
        rewrite(saved / f"any_{part}.pkl", lambda _: HOSTILE[kind])
        rewrite_seal(saved)
        tracemalloc.start()
        start = time.monotonic()
        line = refused(saved)
        seconds, (_, peak) = time.monotonic() - start, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        copyreg.remove_extension("os", "mkdir", 7)
    assert f"any_{part}.pkl" in line
    assert not (saved / "ran").exists()
    assert seconds < 20
    assert peak < 200e6


def rewrite_seal(folder):
    """Make the weights' seal fit the configuration, as an attacker can."""
    with open(folder / "any_weights.pkl", "rb") as file:
        data = file.read()
    if (at := data.rfind(b"\x80\x04\x95")) < 0:
        return
    digest = hashlib.sha256((folder / "any_config.pkl").read_bytes()).hexdigest()
    (folder / "any_weights.pkl").write_bytes(data[:at] + pickle.dumps(digest, 4))


def test_the_hostile_pickles_are_hostile(tmp_path, monkeypatch):
    """Python's own unpickler runs them; so the tests above can fail."""
    for kind in (
        "reduce",
        "os.system",
        "eval",
        "in a list",
        "nested",
        "in an object array",
    ):
        folder = tmp_path / kind
        folder.mkdir()
        monkeypatch.chdir(folder)
        pickle.loads(HOSTILE[kind])
        assert (folder / "ran").exists(), kind


def lambda_layer():
    x = keras.Input((784,))
    model = keras.Model(x, keras.layers.Lambda(lambda x: x, output_shape=(784,))(x))
    return model.get_config()


def changed_config(change):
    config = simple_autoencoder.build(encoding_dim=2)[1].get_config()
    change(config["layers"][1])
    return config


HOSTILE_CONFIGS = {
    "lambda": lambda_layer,
    "foreign module": lambda: changed_config(lambda x: x.update(module="os")),
    "foreign class": lambda: changed_config(lambda x: x.update(class_name="TFSMLayer")),
    "no module": lambda: changed_config(lambda x: x.pop("module")),
    "registered": lambda: changed_config(lambda x: x.update(registered_name="a>Dense")),
    "function": lambda: changed_config(
        lambda x: x["config"].update(
            activation={
                "module": "builtins",
                "class_name": "function",
                "config": "eval",
                "registered_name": "eval",
            }
        )
    ),
    "huge layer": lambda: changed_config(lambda x: x["config"].update(units=10**9)),
    "negative layer": lambda: changed_config(lambda x: x["config"].update(units=-1)),
    "huge input": lambda: changed_config(
        lambda x: x["build_config"].update(input_shape=(None, 10**9))
    ),
    "bytes": lambda: changed_config(lambda x: x["config"].update(name=b"dense")),
    "not a dict": lambda: ["layers"],
    "empty": dict,
}


@pytest.mark.parametrize("kind", HOSTILE_CONFIGS)
def test_hostile_configuration(kind, saved):
    rewrite(saved / "any_config.pkl", lambda _: pickle.dumps(HOSTILE_CONFIGS[kind]()))
    rewrite_seal(saved)
    line = refused(saved)
    assert "any_config.pkl" in line
    if kind == "huge layer":  # before any memory is taken for it
        assert "not the network that the weights belong to" in line


def test_huge_picture_from_few_weights(saved):
    """A layer without weights can ask for any amount of memory, too."""
    x = keras.Input((4, 4, 1))
    model = keras.Model(x, keras.layers.UpSampling2D(2)(x))
    common.save_model(model, "any", saved)
    common.load_model("any", saved)

    def change(config):
        config["layers"][1]["config"]["size"] = (10**6, 10**6)
        return pickle.dumps(config)

    rewrite(saved / "any_config.pkl", change)
    rewrite_seal(saved)
    assert "10 million" in refused(saved)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_cut_short_at_every_byte(part, saved):
    path = saved / f"any_{part}.pkl"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(common.UserError, match=f"any_{part}.pkl is damaged"):
            common.load_model("any", saved)
    path.write_bytes(whole)
    common.load_model("any", saved)


def test_damage_at_random(saved):
    """Whatever the bytes: either it is refused in one line, or it is a whole model."""
    rng = random.Random(0)
    contents = {path: path.read_bytes() for path in saved.iterdir()}
    outcomes = set()
    for _ in range(1500):
        path = rng.choice(list(contents))
        data = bytearray(contents[path])
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data)) if rng.random() < 0.3 else rng.randrange(400)
            data[at % len(data)] = rng.randrange(256)
        path.write_bytes(data)
        try:
            common.load_model("any", saved)
            outcomes.add("loaded")  # damage to a number cannot be told from training
        except common.UserError as error:
            assert "\n" not in str(error)
            outcomes.add("refused")
        path.write_bytes(contents[path])
    assert "refused" in outcomes


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 100, random.Random(1).randbytes(5000), pickle.dumps("a"), b"PK\3\4"],
    ids=["empty", "zeros", "noise", "a pickle of a string", "a zip"],
)
@pytest.mark.parametrize("part", ["config", "weights"])
def test_something_else(part, data, saved):
    (saved / f"any_{part}.pkl").write_bytes(data)
    assert f"any_{part}.pkl" in refused(saved)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_more_than_a_model(part, saved):
    with open(saved / f"any_{part}.pkl", "ab") as file:
        file.write(pickle.dumps("more"))
    assert "does not end where it should" in refused(saved)


def test_a_file_without_end(saved):
    os.remove(saved / "any_weights.pkl")
    os.mkfifo(saved / "any_weights.pkl")
    assert "any_weights.pkl" in refused(saved)
    os.remove(saved / "any_weights.pkl")
    with open(saved / "any_weights.pkl", "wb") as file:
        file.truncate(2**40)
    assert "too large" in refused(saved)


@pytest.mark.parametrize("part", ["config", "weights"])
def test_one_of_two_files(part, saved):
    os.remove(saved / f"any_{part}.pkl")
    line = refused(saved)
    assert f"any_{part}.pkl is missing" in line


def test_nothing_there(tmp_path):
    assert "any_config.pkl is missing" in refused(tmp_path / "no" / "such")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(number, saved):
    def change(weights):
        weights[0][3, 1] = number
        return pickle.dumps(weights)

    rewrite(saved / "any_weights.pkl", change)
    assert "not finite" in refused(saved)


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [np.zeros((784, 2), "float32")],
        [np.zeros((2, 784), "float32"), np.zeros(2, "float32")],
        [np.zeros((784, 2), "float32"), np.zeros(2, "float32"), np.zeros(1)],
        {"weights": 1},
        [1, 2],
        [np.array(["a"]), np.array(["b"])],
        [np.zeros((784, 2), "bool"), np.zeros(2, "bool")],
        [np.zeros(2, [("a", "f4"), ("b", "O")])],
        [np.zeros((784, 2), "complex64"), np.zeros(2, "complex64")],
    ],
    ids=str,
)
def test_weights_of_another_network(weights, saved):
    rewrite(saved / "any_weights.pkl", lambda _: pickle.dumps(weights))
    assert "any_weights.pkl" in refused(saved) or "any_config.pkl" in refused(saved)


def test_files_of_two_models(saved, tmp_path):
    """The shapes fit, but the activation, say, need not."""
    other = simple_autoencoder.build(encoding_dim=2, l1=0)[1]
    common.save_model(other, "other", tmp_path)
    shutil.copy(tmp_path / "other_weights.pkl", saved / "any_weights.pkl")
    assert "not of the same model" in refused(saved)


def test_halves_of_two_runs(tmp_path):
    autoencoder, encoder, decoder = simple_autoencoder.build(encoding_dim=2)
    common.save_models(
        tmp_path, autoencoder=autoencoder, encoder=encoder, decoder=decoder
    )
    names = "autoencoder", "encoder", "decoder"
    assert len(common.load_models(tmp_path, *names)) == 3
    _, encoder, _ = simple_autoencoder.build(encoding_dim=2)
    common.save_model(encoder, "encoder", tmp_path)
    with pytest.raises(common.UserError, match="not of the same run"):
        common.load_models(tmp_path, *names)


def test_interrupted_save_leaves_the_earlier_model(saved, monkeypatch):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    real = pickle.dump

    def dump_half(content, file, **settings):
        if type(content) is list:
            file.write(b"half")
            raise KeyboardInterrupt
        real(content, file, **settings)

    monkeypatch.setattr(pickle, "dump", dump_half)
    with pytest.raises(KeyboardInterrupt):
        common.save_model(simple_autoencoder.build(3)[1], "any", saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_another_keras_says_which_it_needs(saved, monkeypatch):
    version = keras.__version__
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    common.load_model("any", saved)  # it can be read, so it is
    rewrite(
        saved / "any_config.pkl", lambda _: pickle.dumps({"layers": "of the future"})
    )
    rewrite_seal(saved)
    line = refused(saved)
    assert f"saved by Keras {version}, and Keras 3.99.0 cannot read it" in line


def test_python_s_own_unpickler_would_not_do():
    """The stand-ins for NumPy's names cannot be bent by what a pickle sets on them."""
    for state in ({"dtype": 1}, (None, {"__init__": None}), 5, "x"):
        data = pickle.dumps(np.zeros(2, "f4"), 3)
        hostile = data[:-1] + pickle.dumps(state, 3)[2:-1] + pickle.BUILD + pickle.STOP
        with pytest.raises(Exception):  # noqa: B017
            common._unpickle(io.BytesIO(hostile))
    assert common._unpickle(io.BytesIO(pickle.dumps(np.ones(2)))).array.tolist() == [
        1,
        1,
    ]
