"""The options: what --help says, and what will not do is said before anything is done."""

import common

import math
import re
import sys

import keras
import numpy as np
import pytest
from helpers import (
    PATHS,
    SCRIPTS,
    Cells,
    Output,
    contents,
    options_of,
    run_script,
    write_npz,
)

DEFAULTS = {
    "simple": {"epochs": 50, "batch-size": 256, "encoding-dim": 16, "l1": 0.0001},
    "deep": {"epochs": 50, "batch-size": 256, "encoding-dim": 32, "split": 2},
    "conv": {"epochs": 1, "batch-size": 128},
}
SHARED = [
    "optimizer",
    "learning-rate",
    "seed",
    "data",
    "models",
    "load",
    "verbose",
    "no-show",
]


def help_of(name, output=None):
    """What --help prints, in one line."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setenv("COLUMNS", "1000")  # so that no path is broken in two
        run_script(PATHS[name], "--help", output=output)
    assert caught.value.code == 0
    return " ".join(caught.value.said.split())


def help_by_option(name):
    """The text of each option in --help."""
    _, text = help_of(name).split("show this help message and exit --")
    parts = [part.split(" ", 1) for part in text.split(" --")]
    return dict(parts)


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_has_a_sentence_for_each_option(name):
    texts = help_by_option(name)
    assert set(texts) == set(DEFAULTS[name]) | set(SHARED)
    for text in texts.values():
        assert len(text.split()) >= 6


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_the_defaults(name):
    texts = help_by_option(name)
    for option, default in DEFAULTS[name].items():
        assert f"({default})" in texts[option]
    assert "(adadelta)" in texts["optimizer"]
    assert "(0)" in texts["seed"]
    assert str(PATHS[name].parent / "models") in texts["models"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_which_network_it_is(name):
    first_line = PATHS[name].read_text(encoding="utf-8").splitlines()[0]
    assert first_line.strip('"') in help_of(name)


def test_help_in_a_western_terminal():
    """What it has no characters for is a question mark."""
    said = help_of("simple", Output(encoding="cp1252"))
    assert "the post's simplest autoencoder (????)" in said


def test_help_in_a_folder_with_a_percent_sign(monkeypatch):
    monkeypatch.setattr(common, "__file__", "/100% mine/common.py")
    assert "100% mine" in help_of("simple")


BAD_VALUES = {
    "--epochs": ["0", "-1", "1.5", "many"],
    "--batch-size": ["0"],
    "--encoding-dim": ["0", "-2"],
    "--l1": ["-0.1", "nan", "inf", "strong"],
    "--learning-rate": ["0", "-1", "nan", "inf"],
    "--seed": ["-1", "4294967296", "x"],
    "--verbose": ["3"],
    "--optimizer": ["sgd"],
    "--tpyo": ["1"],
}


@pytest.mark.parametrize("option", BAD_VALUES)
def test_bad_value_is_refused_at_once(option, tmp_path, capsys):
    for value in BAD_VALUES[option]:
        words = ["--models", tmp_path / "models", f"{option}={value}"]
        with pytest.raises(SystemExit, match="2") as caught:
            run_script(PATHS["simple"], *words)
        assert not caught.value.said
        last_line = capsys.readouterr().err.splitlines()[-1]
        assert option in last_line
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("seed", ["0", "4294967295"])
def test_smallest_and_largest_seed(seed, tmp_path):
    assert options_of(tmp_path, "simple", "--seed", seed).seed == int(seed)


@pytest.mark.parametrize("split", ["0", "6"])
def test_split_that_no_layer_has(split, run, tmp_path):
    with pytest.raises((common.UserError, SystemExit)) as caught:
        run("deep", "--split", split)
    assert "Epoch" not in caught.value.said
    assert not list(tmp_path.iterdir())


def test_no_epochs_in_a_cell(few, first_run, tmp_path):
    """Nothing is trained, and what was saved stays."""
    before = contents(first_run("simple").folder)
    cells = Cells("simple", few, first_run("simple").folder.parent)
    cells.args.epochs = 0
    cells.run("加载数据")
    cells.run("建立网络")
    with pytest.raises(common.UserError, match="args.epochs is 0"):
        cells.run("编译")
    assert contents(first_run("simple").folder) == before


TOO_MANY = {"simple": ["--encoding-dim", "51"], "deep": ["--encoding-dim", "4"], "conv": []}


@pytest.mark.parametrize("name", SCRIPTS)
def test_too_few_digits_for_pca_are_found_out_at_once(name, run, digits, tmp_path):
    """Deep's first code would do with 50 digits, but its second one takes 64."""
    (x_train, y_train), test = digits
    data = write_npz(tmp_path / "own.npz", (x_train[:50], y_train[:50]), test)
    with pytest.raises(common.UserError, match="50 training digits are too few") as caught:
        run(name, *TOO_MANY[name], data=data)
    assert "Epoch" not in caught.value.said
    assert list(tmp_path.iterdir()) == [data]


def test_load_needs_no_more_digits_than_the_saved_code(
    run_with_a_map, run, digits, tmp_path
):
    """Ten are enough for a saved code of 2, though --encoding-dim is 16 here."""
    (x_train, y_train), test = digits
    data = write_npz(tmp_path / "own.npz", (x_train[:10], y_train[:10]), test)
    done = run("simple", "--load", data=data, models=run_with_a_map("simple").folder.parent)
    assert done.size == 2


def test_as_many_digits_as_pca_has_numbers():
    code = keras.Input((4, 4, 8))
    common.check_digits_for_pca(np.zeros((128, 784)), code)
    common.check_digits_for_pca(np.zeros((784, 784)), keras.Input((1000,)))
    with pytest.raises(common.UserError, match="^127 .* needs 128 for a code of 128"):
        common.check_digits_for_pca(np.zeros((127, 784)), code)


def test_folder_that_is_none(run, tmp_path):
    """It is found out before the training."""
    (tmp_path / "file").touch()
    said = "^--models: .*simple is no folder that can be written to.*$"
    with pytest.raises(common.UserError, match=said) as caught:
        run("simple", models=tmp_path / "file")
    assert "Epoch" not in caught.value.said


def test_training_that_diverges(run, tmp_path):
    """It is not saved, and the rate is named."""
    words = ["--optimizer", "adam", "--learning-rate", "1e30", "--epochs", "2"]
    with pytest.raises(common.UserError, match="diverged .* lower --learning-rate"):
        run("simple", *words)
    assert not list((tmp_path / "simple").iterdir())


def test_load_without_a_run_makes_no_folder(run, tmp_path):
    with pytest.raises(common.UserError, match="autoencoder_config.pkl is missing"):
        run("simple", "--load", models=tmp_path / "tpyo")
    assert not (tmp_path / "tpyo").exists()


def test_verbose_0_says_nothing_of_the_training(silent_run):
    assert "Epoch" not in silent_run.said


def test_verbose_1_is_a_bar_and_no_show_opens_no_window(run):
    terminal = Output(is_terminal=True)
    done = run("simple", "--epochs", "1", "--verbose", "1", "--no-show", output=terminal)
    assert "━━━━━━━━━━━━━━━━━━━━" in done.said
    assert not done.shown


def test_a_line_an_epoch_where_nobody_watches(first_run):
    for name in SCRIPTS:
        said = first_run(name).said
        assert re.search(r"\n\d+/\d+ - .*s - .*val_loss: ", said)
        assert not set(said) & set("\r\b\x1b")


def test_a_bar_where_somebody_watches(tmp_path, monkeypatch):
    """In a terminal, in PyCharm, and in a notebook."""
    assert options_of(tmp_path, "conv").verbose == 2
    terminal = Output(is_terminal=True)
    assert options_of(tmp_path, "conv", output=terminal).verbose == 1
    monkeypatch.setenv("PYCHARM_HOSTED", "1")
    assert options_of(tmp_path, "conv").verbose == 1
    monkeypatch.delenv("PYCHARM_HOSTED")
    monkeypatch.setitem(sys.modules, "ipykernel", math)
    assert options_of(tmp_path, "conv").verbose == 1


def test_words_of_another_program_do_not_count(few, tmp_path, monkeypatch):
    """In a shell, the words of its own command line are not the script's."""
    main_file = sys.modules["__main__"].__file__
    monkeypatch.setattr(sys, "argv", [main_file, "--mode=client", "--port=1"])
    cells = Cells("deep", few, tmp_path)
    assert cells.args.encoding_dim == 32
    assert cells.args.load is False
