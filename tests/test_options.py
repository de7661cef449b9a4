"""The options: each acts, and what will not do is said before anything is done."""

import common

import cProfile
import re
import sys

import keras
import matplotlib.pyplot as plt
import pytest
from helpers import PATHS, SCRIPTS, Cells, Output, run_script

PROFILER = cProfile.__file__
DEFAULTS = {
    "simple": {"epochs": 50, "batch-size": 256, "encoding-dim": 16, "l1": 0.0001},
    "deep": {"epochs": 50, "batch-size": 256, "encoding-dim": 32},
    "conv": {"epochs": 1, "batch-size": 128},
}


def help_of(name, output=None):
    """What --help prints, in one line."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setenv("COLUMNS", "1000")  # so that no path is broken in two
        run_script(PATHS[name], "--help", output=output)
    assert caught.value.code == 0
    return " ".join(caught.value.said.split())


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_the_network_and_the_defaults(name):
    said = help_of(name)
    first_line = PATHS[name].read_text(encoding="utf-8").splitlines()[0]
    assert first_line.strip('"') in said
    for option, default in DEFAULTS[name].items():
        assert re.search(rf"--{option} [A-Z0-9_]+ [^-]+·[^-]+ \({default}\)", said), option
    assert "(adadelta)" in said
    assert str(PATHS[name].parent / "models") in said


def test_help_in_a_western_terminal_and_a_folder_with_a_percent_sign(monkeypatch):
    """What it has no characters for is a question mark."""
    monkeypatch.setattr(common, "FOLDER", common.FOLDER / "100% mine" / "..")
    said = help_of("simple", Output(encoding="cp1252"))
    assert "the post's simplest autoencoder (????)" in said
    assert "100% mine" in said


@pytest.mark.parametrize("name", SCRIPTS)
def test_defaults(name, few, tmp_path):
    """In cells, whose program, pytest here, is another one with words of its own."""
    args = Cells(name, few, tmp_path).args
    for option, default in DEFAULTS[name].items():
        if option != "epochs":
            assert getattr(args, option.replace("-", "_")) == default
    assert (args.load, args.seed, args.optimizer) == (False, 0, "adadelta")


def test_words_of_another_program_do_not_count(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "kernel.py"), "-f", "connection.json"])
    assert common.command_line(PATHS["simple"]) == []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["my_copy.py", "--epochs", "5"])
    assert common.command_line(tmp_path / "my_copy.py") == ["--epochs", "5"]


def test_profiler_passes_the_options_on(few, tmp_path):
    """As `python -m cProfile simple_autoencoder.py --epochs 1`."""
    words = ["--epochs", "1", "--data", few, "--models", tmp_path]
    words += ["--optimizer", "tpyo"]  # Keras's error ends it early
    with pytest.raises(ValueError, match="tpyo"):
        run_script(PROFILER, "-o", tmp_path / "profile", PATHS["simple"], *words)


@pytest.mark.parametrize("option", ["--epochs=many", "--l1=strong", "--seed=x", "--tpyo=1"])
def test_bad_value_is_refused_at_once(option, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2") as caught:
        run_script(PATHS["simple"], "--models", tmp_path / "models", option)
    assert not caught.value.said
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert option.split("=")[0] in last_line
    assert not (tmp_path / "models").exists()


def test_folder_that_is_none(run, tmp_path):
    """It is found out before the training."""
    (tmp_path / "file").touch()
    said = "^--models: nothing can be written to .*simple .*$"
    with pytest.raises(common.UserError, match=said) as caught:
        run("simple", models=tmp_path / "file")
    assert "Epoch" not in caught.value.said


def test_training_that_diverges(few, tmp_path):
    """It is not saved, and it is said what to do."""
    cells = Cells("simple", few, tmp_path)
    cells.args.optimizer = keras.optimizers.Adam(1e30)
    cells.args.epochs = 2
    cells.run("加载数据", "建立网络", "编译")
    with pytest.raises(common.UserError, match=r"^.*diverged .* rate$"):
        cells.run("训练、保存")
    assert not list((tmp_path / "simple").iterdir())


def test_load_without_a_run_makes_no_folder(run, tmp_path):
    with pytest.raises(common.UserError, match=r"^.*autoencoder_config.pkl .*train.*$"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_show_opens_no_window(name, first_run, few, tmp_path, monkeypatch):
    assert first_run(name).shown
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(True))
    cells = Cells(name, few, tmp_path)
    cells.args.no_show = True
    cells.run("显示图片")
    assert not shown


def assert_no_bar_after_the_training(said):
    """As `predict` would print one, too."""
    after = said.split("val_loss")[-1]
    assert after != said
    assert not set(after) & set("\r\b\x1b")


@pytest.mark.parametrize("name", SCRIPTS)
def test_training_alone_shows_a_bar(name, first_run):
    assert_no_bar_after_the_training(first_run(name).said)


@pytest.mark.parametrize("name", ["simple", "deep"])
def test_map_shows_no_bar(name, map_cells):
    assert_no_bar_after_the_training(map_cells(name).said())


@pytest.fixture
def keras_as_it_was():
    """Keras's settings are the usual ones again after the test."""
    yield
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


def test_settings_of_keras_are_its_defaults(few, tmp_path, keras_as_it_was):
    """Whatever a keras.json says."""
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    keras.config.set_image_data_format("channels_first")
    cells = Cells("conv", few, tmp_path)
    cells.run("加载数据", "建立网络")
    assert keras.config.epsilon() == 1e-7
    assert cells.encoder.output_shape == (None, 4, 4, 8)
    assert cells.encoder.output.dtype == "float32"
