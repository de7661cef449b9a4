"""Each script as a program: its options, what readers change, and what goes wrong."""

import importlib
import os
import re
import signal

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, SCRIPTS, contents, script_path
from matplotlib.image import imread
from test_learning import mse, table

import common

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


# Of Adadelta and of Adam.
RATES = {"simple": (1.0, 0.001), "deep": (1.0, 0.0015), "conv": (1.0, 0.005)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_options_of_a_training(name, run, first_runs):
    assert float(first_runs[name].optimizer.learning_rate) == RATES[name][0]
    done = run(name, "--epochs", "1", "--optimizer", "adam", "--no-show")
    assert isinstance(done.optimizer, keras.optimizers.Adam)
    assert float(done.optimizer.learning_rate) == pytest.approx(RATES[name][1])
    # With so small steps nothing is learnt, in so many updates.
    words = ["--learning-rate", "1e-9", "--epochs", "3", "--batch-size", "100"]
    for optimizer in ("adadelta", "adam"):
        done = run(name, *words, "--optimizer", optimizer, "--no-show")
        assert "Epoch 3/3\n5/5 - " in done.said
        assert mse(done.x_test, done.decoded_imgs) > 0.2
        assert int(done.optimizer.iterations) == 15


def test_code_and_penalty(run, npz):
    words = ["--epochs", "2", "--encoding-dim", "1000"]
    weak, strong = (
        run("simple", *words, "--l1", l1, "--no-show", data=npz) for l1 in ("0", "0.5")
    )
    assert table(weak.said)["autoencoder"][:2] == [1000, 0.8]
    assert table(weak.said)["PCA 1000"][2] > 0
    assert weak.encoded_imgs.shape == (1000, 1000)
    assert "+ 0.0000 =" in weak.said and "+ 0.0000 =" not in strong.said
    assert np.mean(strong.encoded_imgs) < np.mean(weak.encoded_imgs) / 2


def test_middle_and_split_of_deep(run):
    done = run(
        "deep", "--epochs", "1", "--encoding-dim", "8", "--split", "4", "--no-show"
    )
    assert [row[0] for row in table(done.said).values()] == [8, 8, 64, 64]
    inner = keras.Model(done.autoencoder.input, done.autoencoder.layers[4].output)
    expected = inner.predict(done.x_test, verbose=0)
    np.testing.assert_allclose(done.encoded_imgs2, expected, 1e-4)


@pytest.mark.parametrize("name", SCRIPTS)
def test_windows(name, run, first_runs, tmp_path, monkeypatch):
    """They have the pictures' names, fit a laptop, and the files have no fewer pixels."""
    (tmp_path / "windows.py").write_text(
        "from matplotlib.backends.backend_agg import FigureCanvas\n"
        "import matplotlib.pyplot as plt\n"
        "shown = []\ndef show(*_, **__): shown.append(plt.get_figlabels())"
    )
    monkeypatch.syspath_prepend(tmp_path)
    models = first_runs[name].models
    run(name, "--load", models=models)  # where there is no display
    plt.switch_backend("module://windows")
    shown = importlib.import_module("windows").shown
    shown.clear()
    run(name, "--load", "--no-show", models=models)
    assert not shown
    done = run(name, "--load", models=models)
    plt.switch_backend("agg")
    (titles,) = shown
    assert len(titles) == 2
    for title in titles:
        width, height = (
            plt.figure(title).get_size_inches() * plt.figure(title).get_dpi()
        )
        assert width <= 1300 and height <= 620
        picture = imread(done.args.folder / title)
        inches = plt.figure(title).get_size_inches()
        np.testing.assert_allclose(picture.shape[1::-1], 120 * inches, atol=1)


# What readers try first: a script, what they replace in it, and by what.
OUTPUT = "decoded = Dense(784, "
OWN = """
@keras.saving.register_keras_serializable()
class Own(Dense):
    pass

Dense = Own
"""
EXPERIMENTS = {
    "Dropout": ("simple", OUTPUT, f"encoded = Dropout(0.1)(encoded)\n{OUTPUT}"),
    "a second layer of the decoder": (
        "simple",
        OUTPUT,
        f'decoded = Dense(64, "relu")(encoded)\n{OUTPUT}',
        'sigmoid")(encoded)',
        'sigmoid")(decoded)',
    ),
    "L2": ("simple", OUTPUT, f"{OUTPUT}kernel_regularizer=regularizers.L2(0.001), "),
    "MSE": ("simple", '"binary_crossentropy"', '"mse"'),
    "a code below 0": ("simple", '(encoding_dim, "relu", ', "(encoding_dim, "),
    "layers more": (
        "deep",
        "encoded = Dense(64",
        'encoded = BatchNormalization()(Dense(9, "gelu")(encoded))\nencoded = Dense(64',
    ),
    "a network of networks": (
        "simple",
        "autoencoder.summary()",
        "autoencoder = Model(input_img, decoder(encoder(input_img)))",
    ),
    "a code of one axis, and Conv2DTranspose": (
        "conv",
        """encoded = MaxPooling2D((2, 2), padding="same")(x)  # (4, 4, 8): 128 values

x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
""",
        """encoded = Dense(128)(Flatten()(MaxPooling2D(padding="same")(x)))
x = Conv2DTranspose(8, 3, 2, padding="same")(Reshape((4, 4, 8))(encoded))
""",
    ),
    "a layer of one's own": ("simple", "# %% 加载数据", f"{OWN}\n# %% 加载数据"),
}


@pytest.fixture
def changed(tmp_path):
    """Write a script with changes in it, as readers make them; returns its path."""

    def change(name, *changes):
        text = script_path(name).read_text(encoding="utf-8")
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        first = "import common  # isort: skip"
        text = text.replace(first, f"import keras\nfrom keras.layers import *\n{first}")
        path = tmp_path / "changed.py"
        path.write_text(text, encoding="utf-8")
        return path

    return change


@pytest.mark.parametrize("what", EXPERIMENTS)
def test_experiment(what, changed, run):
    path = changed(*EXPERIMENTS[what])
    done = run(path, "--epochs", "1", "--no-show")
    again = run(path, "--load", "--no-show")
    assert table(again.said) == table(done.said) != {}
    np.testing.assert_allclose(again.decoded_imgs, done.decoded_imgs, atol=1e-5)


@pytest.mark.parametrize("layer", ["Lambda", "Activation"])
def test_what_keras_could_not_load_is_found_out_at_once(layer, changed, run, capsys):
    new = f"encoded = {layer}(lambda x: x)(encoded)\n{OUTPUT}"
    with pytest.raises(common.UserError, match="^.*register_keras_serializable.*$"):
        run(changed("simple", OUTPUT, new), "--epochs", "1")
    assert "Epoch" not in capsys.readouterr().out


def test_help_names_options_and_defaults(run, capsys):
    with pytest.raises(SystemExit, match="0"):
        run("simple", "--help")
    said = " ".join(capsys.readouterr().out.split())
    for text in (
        "(50)",
        "(256)",
        "(adadelta)",
        f"({ROOT / 'models'})",
        "(16)",
        "(0.0001)",
    ):
        assert text in said
    assert all(f"--{x} " in said for x in ("data", "learning-rate", "load", "no-show"))
    assert "最简单的单层编码解码机" in said


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--epochs", ["0", "-1", "abc", "1.5", ""]),
        ("--batch-size", ["0"]),
        ("--learning-rate", ["-1", "nan", "inf"]),
        ("--encoding-dim", ["0", "1e3", "9" * 30]),
        ("--l1", ["-0.1", "nan", "inf", "x"]),
        ("--seed", ["-1", "4294967296", "x"]),
        ("--optimizer", ["sgd"]),
    ],
)
def test_option_out_of_range(option, values, run, tmp_path, capsys):
    for value in values:
        with pytest.raises(SystemExit, match="2"):
            run("simple", f"{option}={value}")
        assert option in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "simple").exists()


def test_load_creates_nothing(run, tmp_path):
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


def test_loss_that_is_not_a_number(run, first_runs):
    models = first_runs["deep"].models
    before = contents(models)
    words = ["--optimizer", "adam", "--learning-rate", "1e6", "--epochs", "3"]
    with pytest.raises(common.UserError, match="^.*--learning-rate$"):
        run("deep", *words, models=models)
    assert contents(models) == before


def test_tensorboard_can_read_the_logs(first_runs):
    reader = "tensorboard.backend.event_processing.event_accumulator"
    events = pytest.importorskip(reader)
    (logs,) = (first_runs["conv"].args.folder / "logs").iterdir()
    for part in ("train", "validation"):
        losses = (
            events.EventAccumulator(str(logs / part)).Reload().Tensors("epoch_loss")
        )
        assert [loss.step for loss in losses] == [0, 1]  # two epochs


def without_greeting(err):
    """What a process wrote to stderr, less TensorFlow's lines."""
    lines = err.splitlines()
    ours = [
        x for x in lines if not re.match(r"[IWE]0000 |WARNING: All log|To enable|$", x)
    ]
    assert len(lines) - len(ours) <= 12, err
    return ours


def test_errors_in_a_terminal(start, tmp_path):
    """What the user can mend is one line, what Python finds keeps its traceback."""
    (tmp_path / "file").touch()
    typo = tmp_path / "typo.py"
    text = script_path("simple").read_text(encoding="utf-8")
    typo.write_text(text.replace("import Dense\n", "import Dence\n"), encoding="utf-8")
    bad_file = start("simple", data=tmp_path / "file")
    bad_folder = start("deep", "--models", tmp_path / "file")
    mistake = start("../x", python=(typo, "--"))
    out, err = bad_file.communicate(timeout=60)
    assert bad_file.returncode == 1
    (line,) = without_greeting(err)
    assert line.startswith(f"error: {tmp_path / 'file'} is not like Keras's mnist.npz")
    out, err = bad_folder.communicate(timeout=60)
    assert bad_folder.returncode == 1 and "MNIST" not in out
    (line,) = without_greeting(err)
    assert line.startswith("error: --models takes a folder to write to (")
    _, err = mistake.communicate(timeout=60)
    assert mistake.returncode == 1
    assert "Traceback" in err and "ImportError: cannot import name 'Dence'" in err


def wait_for(process, text):
    assert any(text in line for line in process.stdout), process.stderr.read()


@posix
def test_ctrl_c(start, tmp_path):
    """The first keeps what was learnt; a second one leaves at once, without a traceback."""
    once = start("simple", "--epochs", "100000")
    twice = start("conv", "--epochs", "100000")
    wait_for(once, "Epoch 3/")
    once.send_signal(signal.SIGINT)
    wait_for(twice, "Epoch 3/")
    twice.send_signal(signal.SIGINT)
    while "once more to leave" not in twice.stderr.readline():
        pass
    twice.send_signal(signal.SIGINT)
    out, err = once.communicate(timeout=60)
    assert once.returncode == 0, err
    assert "STOPPED EARLY by Ctrl-C" in without_greeting(err)[-1]
    assert table(out)
    for name in ("autoencoder", "encoder", "decoder"):
        common.load_model(name, tmp_path / "simple")
    _, err = twice.communicate(timeout=60)
    assert twice.returncode == -signal.SIGINT and not without_greeting(err)


@posix
def test_ctrl_c_is_as_it_was_afterwards(digits):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), common.ctrl_c_stops(model):
        assert signal.getsignal(signal.SIGINT) != before
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) == before
    with common.ctrl_c_stops(model):
        signal.raise_signal(signal.SIGINT)
        assert model.stop_training
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_helpful_message_is_the_one_that_is_shown(tmp_path, monkeypatch):
    def fails(*_, **__):
        try:
            raise KeyError("hidden")
        except KeyError:
            raise ValueError("the helpful message") from None

    monkeypatch.setattr(np, "load", fails)
    with pytest.raises(common.UserError, match="the helpful message"):
        common.load_mnist(tmp_path)
