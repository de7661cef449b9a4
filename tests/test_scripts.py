"""Each script as a user runs it, and what goes wrong: one line, and nothing lost."""

import importlib.util
import os
import re
import signal

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, RUNS, contents
from matplotlib.image import imread
from measure import TABLE_ROW

import common
import deep_autoencoder
import simple_autoencoder

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

SCRIPTS = ["simple", "deep", "conv"]
SHAPES = {"simple": "784", "deep": "784", "conv": "28, 28, 1"}
CODES = {"simple": [16], "deep": [32, 64], "conv": [128]}
PICTURES = {
    "simple": {"reconstructions": (12, 4), "code": (16, 2)},
    "deep": {"reconstructions": (10, 6), "walk": (10, 5)},
    "conv": {"reconstructions": (10, 5.02), "layers": (16, 14)},
}
MODELS = ["autoencoder", "encoder", "decoder"]
PICKLES = {f"{name}_{part}.pkl" for name in MODELS for part in ("config", "weights")}


def table(output):
    """The closing table: label to (code size, compression, cross-entropy, MSE, PSNR)."""
    return {row[0]: [*map(float, row[1:])] for row in TABLE_ROW.findall(output)}


def one_line(text):
    assert text.count("\n") == 1 and "Traceback" not in text, text
    return text


def load(folder):
    autoencoder = common.load_model("autoencoder", folder)
    halves = (common.load_model(x, folder, part_of=autoencoder) for x in MODELS[1:])
    return autoencoder, *halves


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name, first_runs, call, earlier, tmp_path):
    models, ends = first_runs
    out, err, code = ends[name]
    assert (code, err) == (0, "")  # no line of TensorFlow's either
    assert not set(out) & set("\r\b\x1b")  # it is no terminal
    assert f"(4000, {SHAPES[name]}) (1000, {SHAPES[name]})" in out
    assert f"Epoch 2/{RUNS[name][1]}\n" in out and "val_loss" in out
    rows = table(out)
    assert [row[0] for row in rows.values()] == [x for x in CODES[name] for _ in "ab"]
    for code, compression, cross_entropy, mse, psnr in rows.values():
        assert compression == pytest.approx(784 / code, abs=0.051)
        assert 0.05 < cross_entropy < 0.7
        assert 0 < mse < 0.3
        assert psnr == pytest.approx(-10 * np.log10(mse), abs=0.02)
    assert re.search(r"^floor +0\.0\d{3}$", out, re.MULTILINE)

    folder = earlier / name
    assert f"Written to {models / name}" in out
    more = {"model.png", "logs"} if name == "conv" else set()
    more |= {f"{picture}.png" for picture in PICTURES[name]}
    files = {path.name for path in folder.iterdir()}
    assert files == PICKLES | {"history.pkl", "history.png"} | more
    for picture, (columns, lines) in PICTURES[name].items():
        height, width, _ = imread(folder / f"{picture}.png").shape
        assert (height, width) == pytest.approx((96 * lines, 96 * columns + 216), abs=2)

    # The same command in another process: the same weights, bit for bit.
    call(name, *RUNS[name])
    for model in MODELS:
        file = f"{model}_weights.pkl"
        assert (folder / file).read_bytes() == (tmp_path / name / file).read_bytes()

    # --load makes the same of them, and trains nothing.
    before = contents(folder)
    for picture in folder.glob("*.png"):
        picture.unlink()
    out = call(name, "--load", models=earlier)
    assert table(out) == rows and "Epoch" not in out
    after = contents(folder)
    changed = {x.name for x in before.keys() | after if before.get(x) != after.get(x)}
    assert changed <= {"model.png"}


def test_the_loss_is_explained(call):
    out = call("simple", "--epochs", "1", "--l1", "0.01")
    loss, entropy, penalty = map(float, re.findall(r"(\S+) = (\S+) \+ (\S+)\n", out)[0])
    assert f"val_loss: {loss}" in out
    assert table(out)["autoencoder"][2] == entropy
    assert penalty > 0.001 and loss == pytest.approx(entropy + penalty, abs=2e-4)


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="needs JAX")
def test_jax(start, few, tmp_path):
    """As if TensorFlow were not installed."""
    hide = "import sys\nsys.modules['tensorflow'] = None"
    (tmp_path / "sitecustomize.py").write_text(hide)
    jax = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(tmp_path)}
    processes = [start(name, "--epochs=1", data=few[1], env=jax) for name in SCRIPTS]
    for name, process in zip(SCRIPTS, processes, strict=True):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and "Traceback" not in err
        assert err == "" or name == "conv" and "TensorBoard" in one_line(err)
        assert {row[0] for row in table(out).values()} == {*CODES[name]}


def test_seed_decides_the_weights(call, few, tmp_path):
    runs = []
    for seed in "12":
        call("simple", "--epochs", "1", "--seed", seed, *few)
        runs.append(load(tmp_path / "simple")[0].get_weights())
    assert not any(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_any_layer_can_be_the_split(call, earlier, digits):
    rows = table(call("deep", "--load", "--split", "128b", models=earlier))
    assert rows["split at 128b"][0] == 128
    assert rows["split at 128b"][2:] == rows["split at 32"][2:]
    autoencoder, *_ = load(earlier / "deep")
    x = digits[1].reshape(-1, 784)
    for layer in deep_autoencoder.LAYERS:
        encoder, decoder = deep_autoencoder.split(autoencoder, layer)
        assert encoder.output.shape == (None, int(layer.rstrip("b")))
        np.testing.assert_allclose(decoder(encoder(x)), autoencoder(x), atol=1e-6)


def test_code_wider_than_the_input(call):
    out = call("simple", "--epochs", "1", "--encoding-dim", "1000", "--l1", "0")
    assert table(out)["autoencoder"][:2] == [1000, 0.8]
    assert table(out)["PCA"][3] < 1e-6  # it needs no more than 784


# What readers try first: a script, what they replace in it, and by what.
OUTPUT = "\n    decoded = Dense(784, "
OWN = "@keras.saving.register_keras_serializable()\nclass Own(Dense):\n    pass\n\nDense = Own"
RETURN = "\n    return autoencoder, "
EXPERIMENTS = {
    "Dropout": ("simple", OUTPUT, f"\n    encoded = Dropout(0.1)(encoded){OUTPUT}"),
    "L2": ("simple", OUTPUT, f"{OUTPUT}kernel_regularizer=regularizers.L2(0.001), "),
    "layers more": (
        "deep",
        "    encoded = Dense(64",
        '    encoded = BatchNormalization()(Dense(9, "gelu")(encoded))\n    encoded = Dense(64',
    ),
    "a network of networks": (
        "simple",
        "    return autoencoder, ",
        f"    autoencoder = Model(input_img, decoder(encoder(input_img))){RETURN}",
    ),
    "MSE": ("simple", '"binary_crossentropy"', '"mse"'),
    "a code of one axis, and Conv2DTranspose": (
        "conv",
        """encoded = MaxPooling2D((2, 2), padding="same")(x)  # (4, 4, 8): 128 values

    x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
    x = UpSampling2D((2, 2))(x)""",
        """encoded = Dense(128)(Flatten()(MaxPooling2D(padding="same")(x)))
    x = Conv2DTranspose(8, 3, 2, padding="same")(Reshape((4, 4, 8))(encoded))""",
    ),
    "a layer of one's own": ("simple", "def build(", f"{OWN}\ndef build("),
}


@pytest.fixture
def changed(tmp_path):
    """Make a module of a script with a change in it, as readers make them."""

    def change(name, old, new):
        text = (ROOT / f"{name}_autoencoder.py").read_text(encoding="utf-8")
        assert text.count(old) == 1
        more = "import keras\nfrom keras.layers import *\n"
        text = text.replace(old, new).replace("# isort: split\n", more)
        (tmp_path / "changed.py").write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("x", tmp_path / "changed.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return change


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, changed, call, few):
    script = changed(*EXPERIMENTS[what])
    out = call(script, "--epochs", "1", *few)
    assert table(call(script, "--load", *few)) == table(out) != {}
    assert {row[0] for row in table(out).values()} == {*CODES[EXPERIMENTS[what][0]]}
    assert ("+ penalty" in out) == (EXPERIMENTS[what][0] == "simple" and what != "MSE")


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, changed, call, capsys):
    new = f"\n    encoded = {layer}(lambda x: x)(encoded){OUTPUT}"
    with pytest.raises(common.UserError, match="serializable"):
        call(changed("simple", OUTPUT, new), "--epochs", "1")
    assert "Epoch" not in capsys.readouterr().out


def test_what_is_said_while_keras_is_imported_is_seen_if_that_fails(start, tmp_path):
    (tmp_path / "keras.py").write_text(
        "import os\nos.write(2, b'no AVX here\\n')\nos.environ['DIE'] and os.abort()\n"
        "raise ImportError('no backend')"
    )
    for die in ("1", ""):
        process = start("simple", env={"PYTHONPATH": str(tmp_path), "DIE": die})
        _, err = process.communicate(timeout=60)
        assert process.returncode != 0
        assert "no AVX here" in err
        assert ("no backend" in err) == (die == "")


def test_windows_open_at_the_end_unless_unwanted(earlier, few, tmp_path, monkeypatch):
    (tmp_path / "windows.py").write_text(
        "from matplotlib.backends.backend_agg import FigureCanvas\n"
        "opened = []\ndef show(*_, **__): opened.append(1)"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plt.switch_backend("module://windows")
    words = ["--load", *map(str, few), "--models", str(earlier)]
    simple_autoencoder.main([*words, "--no-show"])
    assert importlib.import_module("windows").opened == []
    simple_autoencoder.main(words)
    assert importlib.import_module("windows").opened == [1]
    plt.switch_backend("agg")
    simple_autoencoder.main(words)


def test_help_names_options_and_defaults(capsys):
    with pytest.raises(SystemExit, match="0"):
        simple_autoencoder.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for text in ("50", "256", "adadelta", "1.0 for adadelta", ROOT / "models", "16"):
        assert f"default: {text}" in said
    assert all(f"--{x}" in said for x in ("data", "load", "no-show", "l1"))
    assert "最简单的单层编码解码机" in said


@pytest.mark.parametrize(
    ("option", "values", "said"),
    [
        ("--epochs", ["0", "-1", "abc", "1.5", ""], "1 .."),
        ("--learning-rate", ["0", "-1", "nan", "inf"], " .. "),
        ("--encoding-dim", ["0", "1e3", "9" * 30], "1 .. 10000"),
        ("--l1", ["-0.1", "nan", "inf", "x"], "0 .. "),
        ("--seed", ["-1", "4294967296", "x"], "0 .. 4294967295"),
    ],
)
def test_option_out_of_range(option, values, said, tmp_path, capsys):
    for value in values:
        with pytest.raises(SystemExit, match="2"):
            simple_autoencoder.main(["--models", str(tmp_path), f"{option}={value}"])
        err = capsys.readouterr().err
        assert option in err and said in err, err
    assert not list(tmp_path.iterdir())


def test_load_shows_what_was_saved_and_creates_nothing(call, earlier, tmp_path):
    out = call("simple", "--load", "--encoding-dim", "3", "--l1", "7", models=earlier)
    assert table(out)["autoencoder"][0] == 16
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        call("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


def test_losses_that_cannot_be_loaded(call, earlier):
    (earlier / "simple" / "history.pkl").write_bytes(b"\x80\x04}")
    with pytest.raises(common.UserError, match="history.pkl is missing, damaged, or "):
        call("simple", "--load", models=earlier)


def test_models_folder_found_out_before_the_training(call, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(common.UserError, match=r"^.*file/simple.*--models.*$"):
        call("simple", models=tmp_path / "file")
    assert "Epoch" not in capsys.readouterr().out


def test_failure_after_the_training_is_one_line_and_costs_nothing(start, few, tmp_path):
    (tmp_path / "simple").mkdir()
    (tmp_path / "simple" / "history.png").mkdir()
    process = start("simple", "--epochs", "1", "--no-show", data=few[1])
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert one_line(err).startswith("error: ") and "history.png" in err
    assert len(load(tmp_path / "simple")) == 3


@pytest.mark.parametrize("when", ["early", "in the last update"])
def test_loss_that_is_not_a_number(when, call, earlier, monkeypatch, capsys):
    class DivergesLast(common.StopOnCtrlC):
        """Stands in for a last update whose loss is fine and whose result is not."""

        def on_train_end(self, logs=None):
            super().on_train_end(logs)
            self.model.set_weights([w * np.nan for w in self.model.get_weights()])

    options = "--epochs 5 --optimizer adam --learning-rate 1e6"
    if when != "early":
        monkeypatch.setattr(common, "StopOnCtrlC", DivergesLast)
        options = "--epochs 1"
    before = contents(earlier)
    with pytest.raises(common.UserError, match="^.*--learning-rate$"):
        call("deep", *options.split(), models=earlier)
    assert "Epoch 3/" not in capsys.readouterr().out
    assert contents(earlier) == before


def test_tensorboard_can_read_the_logs(earlier):
    reader = "tensorboard.backend.event_processing.event_accumulator"
    events = pytest.importorskip(reader)
    (run,) = (earlier / "conv" / "logs").iterdir()
    for part in ("train", "validation"):
        losses = events.EventAccumulator(str(run / part)).Reload().Tensors("epoch_loss")
        assert [loss.step for loss in losses] == [0, 1]  # two epochs


def wait_for(process, text):
    assert any(text in line for line in process.stdout), process.stderr.read()


@posix
def test_ctrl_c_keeps_what_was_learnt(start, few, tmp_path):
    process = start("simple", "--epochs", "100000", data=few[1])
    wait_for(process, "Epoch 3/")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    said = "STOPPED EARLY by Ctrl-C, in epoch"
    assert said in one_line(err.lstrip())  # at once
    assert said in out and "of 100000" in out and table(out)  # and at the end
    assert len(load(tmp_path / "simple")) == 3


@posix
def test_second_ctrl_c_or_a_closed_output_ends_the_run_at_once(start, few):
    stopped, closed = (start("conv", "--epochs=100000", data=few[1]) for _ in "ab")
    wait_for(stopped, "Epoch 3/")
    stopped.send_signal(signal.SIGINT)
    assert stopped.stderr.readline() == "\n"
    assert "once more to leave" in stopped.stderr.readline()
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, err) == (130, "")

    wait_for(closed, "Epoch 2/")
    closed.stdout.close()
    assert closed.wait(timeout=60) == 141
    assert closed.stderr.read() == ""
