"""Each script as a user runs it: in a process of its own, from some other folder."""

import importlib
import math
import re
import shutil

import keras
import numpy as np
import pytest
from conftest import TRAINED
from matplotlib.image import imread
from measure import TABLE_ROW
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import common
import conv_autoencoder
import deep_autoencoder
import simple_autoencoder

PARAMETERS = {"simple": "25,888", "deep": "222,384", "conv": "4,385"}
SHAPES = {"simple": "784", "deep": "784", "conv": "28, 28, 1"}
CODES = {"simple": {16}, "deep": {32, 64}, "conv": {128}}
NAMES = {
    "simple": ["autoencoder", "encoder", "decoder"],
    "deep": ["autoencoder"]
    + [
        f"{half}_{layer}"
        for layer in ("128", "64", "32", "64b", "128b")
        for half in ("encoder", "decoder")
    ],
    "conv": ["autoencoder", "encoder", "decoder"],
}


def table(output):
    """The closing table: label to (code size, compression, cross-entropy, MSE, PSNR)."""
    return {row[0]: [*map(float, row[1:])] for row in TABLE_ROW.findall(output)}


def listed(output):
    """The paths under "Written:"."""
    return output[output.index("Written:") :].split("\n  ")[1:]


@pytest.mark.parametrize("name", ["simple", "deep", "conv"])
def test_script(name, script, npz, trained, tmp_path, capsys):
    arguments = ["--data", npz, "--models", "my models"]
    first = script(name, *arguments, *TRAINED[name])
    assert first.stderr == ""  # no log of TensorFlow's either
    assert not set(first.stdout) & set("\r\b\x1b")  # it is no terminal
    assert f"MNIST from {npz}" in first.stdout
    assert f"(4000, {SHAPES[name]})\n(1000, {SHAPES[name]})" in first.stdout
    assert f"Total params: {PARAMETERS[name]} " in first.stdout
    assert (
        f"Epoch 2/{TRAINED[name][1]}\n" in first.stdout and "val_loss" in first.stdout
    )
    rows = table(first.stdout)
    assert {row[0] for row in rows.values()} == CODES[name]
    assert len(rows) == 2 * len(CODES[name])  # the network, and PCA
    for code, compression, cross_entropy, mse, psnr in rows.values():
        assert compression == pytest.approx(784 / code, abs=0.051)
        assert 0.05 < cross_entropy < 0.7
        assert 0 < mse < 0.3
        assert psnr == pytest.approx(-10 * math.log10(mse), abs=0.02)
    assert re.search(r"^floor +0\.0\d{3}$", first.stdout, re.MULTILINE)

    folder = tmp_path / "my models" / name
    files = {path.name for path in folder.iterdir()}
    expected = {
        f"{x}_{part}.pkl" for x in NAMES[name] for part in ("config", "weights")
    }
    expected |= {"reconstructions.png", "history.png"}
    if name == "conv":
        expected |= {"model.png", "logs"}
    assert files == expected
    assert {tmp_path / path for path in map(str.strip, listed(first.stdout))} >= {
        folder / file for file in expected - {"logs"}
    }
    columns, rows = {"simple": (12, 4), "deep": (10, 6), "conv": (10, 4)}[name]
    height, width, _ = imread(folder / "reconstructions.png").shape
    assert height == pytest.approx(96 * rows, abs=2)
    assert width == pytest.approx(96 * columns + 180, abs=2)

    # The same command in another process: the same weights, bit for bit.
    ours, theirs = (
        common.load_model("autoencoder", run).get_weights()
        for run in (folder, trained / name)
    )
    assert all(map(np.array_equal, ours, theirs))

    weights = (folder / "autoencoder_weights.pkl").read_bytes()
    picture = (folder / "reconstructions.png").read_bytes()
    (folder / "reconstructions.png").unlink()
    capsys.readouterr()
    module = importlib.import_module(f"{name}_autoencoder")
    module.main(["--data", str(npz), "--models", str(folder.parent), "--load"])
    second = capsys.readouterr()
    assert second.err == ""
    assert "Epoch" not in second.out
    assert f"Total params: {PARAMETERS[name]} " in second.out
    assert table(second.out) == table(first.stdout)
    assert (folder / "reconstructions.png").read_bytes() == picture
    assert (folder / "autoencoder_weights.pkl").read_bytes() == weights


def test_no_data_to_be_had(script, tmp_path):
    """Behind a firewall, and with a home folder that Keras cannot write to."""
    nowhere = {"HOME": "/proc/no", "KERAS_HOME": "/proc/no/.keras"}
    done = script("simple", "--models", tmp_path, "--epochs", "1", env=nowhere)
    assert done.stderr == ""
    assert "(60000, 784)\n(1000, 784)" in done.stdout
    assert done.stdout.count("NOT THE WHOLE OF MNIST") == 2  # at the start and the end
    assert (tmp_path / "simple" / "reconstructions.png").exists()


def test_loss_printed_is_the_loss_of_keras(npz, tmp_path, capsys):
    """The deep network has no penalty, so the two are the same number."""
    deep_autoencoder.main(
        ["--data", str(npz), "--models", str(tmp_path), "--epochs", "1", "--no-show"]
    )
    said = capsys.readouterr().out
    (val_loss,) = re.findall(r"val_loss: ([\d.]+)", said)
    assert table(said)["split at 32"][2] == float(val_loss)
    assert table(said)["split at 64"][2:] == table(said)["split at 32"][2:]


@pytest.mark.parametrize("layer", deep_autoencoder.SPLITS)
def test_any_split_of_an_earlier_run(layer, trained, npz, capsys):
    arguments = ["--data", str(npz), "--models", str(trained), "--load", "--no-show"]
    deep_autoencoder.main([*arguments, "--split", layer])
    rows = table(capsys.readouterr().out)
    width = layer.rstrip("b")
    assert list(rows) == [f"split at {layer}", f"PCA {width}"]
    assert {row[0] for row in rows.values()} == {int(width)}


def test_the_two_splits_are_two_views_of_one_network(trained, sample):
    x = sample[1].reshape(-1, 784)
    loaded = common.load_models(
        trained / "deep",
        "autoencoder",
        *(f"{h}_{s}" for s in (32, 64) for h in ("encoder", "decoder")),
    )
    autoencoder, encoder_32, decoder_32, encoder_64, decoder_64 = loaded
    expected = autoencoder.predict(x, verbose=0)
    for encoder, decoder in [(encoder_32, decoder_32), (encoder_64, decoder_64)]:
        np.testing.assert_array_equal(
            decoder.predict(encoder.predict(x, verbose=0), verbose=0), expected
        )


def test_code_wider_than_the_input(npz, tmp_path, capsys):
    simple_autoencoder.main(
        ["--data", str(npz), "--models", str(tmp_path), "--epochs", "1", "--no-show"]
        + ["--encoding-dim", "1000", "--l1", "0"]
    )
    rows = table(capsys.readouterr().out)
    assert rows["autoencoder"][:2] == [1000, 0.8]
    assert rows["PCA"][3] < 1e-6  # it needs no more than 784


def test_tensorboard_can_read_the_logs(trained):
    (run,) = (trained / "conv" / "logs").iterdir()
    for part in ("train", "validation"):
        events = EventAccumulator(str(run / part)).Reload()
        losses = [tensor.step for tensor in events.Tensors("epoch_loss")]
        assert losses == [0, 1]  # two epochs


def test_tensorboard_is_in_the_requirements():
    """TensorFlow 2.21 no longer brings it; the post's callback fails without."""
    requirements = (
        common.Path(common.__file__).parent / "requirements.txt"
    ).read_text()
    names = re.findall(r"^[\w-]+", requirements, re.MULTILINE)
    assert {"tensorboard", "keras", "tensorflow", "numpy"} <= set(names)
    assert re.search(r"^keras>=3\.14$", requirements, re.MULTILINE)
    assert re.search(r"^graphviz-pure==0\.2\.2$", requirements, re.MULTILINE)


def test_no_script_overwrites_another_s_files(trained):
    assert {path.name for path in trained.iterdir()} == {"simple", "deep", "conv"}
    for name, parameters in PARAMETERS.items():
        autoencoder = common.load_model("autoencoder", trained / name)
        assert f"{autoencoder.count_params():,}" == parameters


@pytest.mark.parametrize(
    "module", [simple_autoencoder, deep_autoencoder, conv_autoencoder]
)
def test_models_lie_beside_the_script_by_default(module):
    default = common.options("", 1, 1, {"adam": 1}).get_default("models")
    assert default == common.Path(module.__file__).resolve().parent / "models"


def test_help_names_every_option_and_default(capsys):
    with pytest.raises(SystemExit, match="0"):
        simple_autoencoder.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for option in [
        "--epochs",
        "batch-size",
        "optimizer {adadelta,adam}",
        "learning-rate",
        "data",
        "models",
        "seed",
        "load",
        "no-show",
        "encoding-dim",
        "l1",
    ]:
        assert option in said
    for default in ("50", "256", "adadelta", "1.0 for adadelta", "0", "16", "0.0001"):
        assert re.search(rf"default: [^)]*{re.escape(default)}", said), default
    assert "最简单的单层编码解码机" in said


@pytest.mark.parametrize("name", ["simple", "deep", "conv"])
def test_the_seed_of_the_command_line_decides(name, npz, tmp_path):
    """At such a rate the weights stay those with which the training began."""
    module = importlib.import_module(f"{name}_autoencoder")
    module.main(
        ["--data", str(npz), "--models", str(tmp_path), "--no-show", "--seed", "1"]
        + ["--epochs", "1", "--batch-size", "4000", "--learning-rate", "1e-12"]
    )
    kernels = common.load_model("autoencoder", tmp_path / name).get_weights()[::2]
    for seed in (1, 0):
        common.set_seed(seed)
        built = module.build()
        autoencoder = built if name == "deep" else built[0]
        for ours, theirs in zip(kernels, autoencoder.get_weights()[::2], strict=True):
            assert np.allclose(ours, theirs, atol=1e-6) == (seed == 1)


def test_large_batches_repeat_themselves_too_and_only_with_their_seed(sample):
    """They make TensorFlow work on several parts of a gradient at a time."""
    x_train = sample[0].reshape(-1, 28, 28, 1)
    common.set_seed(0)
    autoencoder, _, _ = conv_autoencoder.build()
    adadelta = keras.optimizers.Adadelta(1.0)
    adadelta.build(autoencoder.trainable_variables)
    autoencoder.compile(adadelta, "binary_crossentropy", **common.speed(1))
    variables = [*autoencoder.variables, *adadelta.variables]
    start = [keras.ops.convert_to_numpy(variable) for variable in variables]

    def train(seed):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        common.set_seed(seed)
        autoencoder.fit(x_train, x_train, batch_size=1000, verbose=0)
        return b"".join(weight.tobytes() for weight in autoencoder.get_weights())

    # Without the setting for it, about every second one comes out differently.
    assert len({train(seed=1) for _ in range(10)}) == 1
    assert train(seed=1) != train(seed=2)


def test_neither_a_toolkit_nor_a_display_nor_utf_8(script, npz, trained, tmp_path):
    """The pictures are saved all the same, and nothing is said about it."""
    folder = tmp_path / "模型"
    shutil.copytree(trained, folder)
    (folder / "simple" / "reconstructions.png").unlink()
    bare = {"MPLBACKEND": "gtk2agg", "DISPLAY": ""}  # gone since Matplotlib 3
    bare |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    arguments = ["--data", npz, "--models", folder, "--load"]
    done = script("simple", *arguments, env=bare)
    assert done.stderr == ""
    assert "??/simple/reconstructions.png" in done.stdout
    assert (folder / "simple" / "reconstructions.png").exists()


def test_a_toolkit_that_is_missing_beside_a_display(trained, monkeypatch):
    """Without a display Matplotlib itself turns to another backend; here it is told."""
    import matplotlib.pyplot as plt

    monkeypatch.setenv("MPLBACKEND", "gtk4agg")
    with pytest.raises(ImportError):
        plt.switch_backend("gtk4agg")
    args = common.options("", 1, 1, {"adam": 1}).parse_args([])
    common.show_pictures(args, trained / "simple")


def test_a_window_opens_for_each_picture(trained, monkeypatch, tmp_path):
    import matplotlib.pyplot as plt

    opened = []
    # Stands in for a display: the backend that only draws counts as interactive.
    registry = common.backend_registry
    monkeypatch.setattr(registry, "list_builtin", lambda _: ["agg"])
    monkeypatch.setattr(plt, "show", lambda: opened.extend(plt.get_figlabels()))
    parser = common.options("", 1, 1, {"adam": 1})
    common.show_pictures(parser.parse_args(["--no-show"]), trained / "simple")
    assert opened == []
    common.show_pictures(parser.parse_args([]), trained / "simple")
    assert opened == ["history.png", "reconstructions.png"]
    plt.close("all")
