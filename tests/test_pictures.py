"""Pictures are of the right size, not blank, and show what they should where they should."""

import shutil
import sysconfig

import keras
import numpy as np
import pytest
from matplotlib.image import imread

import common
import conv_autoencoder

INCH = 120  # pixels


def ink(picture):
    """How much a picture, or a part of it, differs within itself."""
    return float(np.ptp(picture[..., :3]))


def cells(path, rows, columns):
    """The parts of a saved figure, by row and column, without the labels."""
    picture = imread(path)
    side = round(0.8 * INCH)
    left = picture.shape[1] - columns * side
    assert picture.shape[0] == pytest.approx(rows * side, abs=2)
    return [
        [
            picture[y * side : (y + 1) * side, left + x * side : left + (x + 1) * side]
            for x in range(columns)
        ]
        for y in range(rows)
    ], picture[:, :left]


def test_reconstructions(tmp_path, sample):
    digits = sample[1][:10]
    path = tmp_path / "made when missing" / "any.png"
    rows = [
        ("original", digits, 1),
        ("code", np.random.default_rng(0).random((10, 16)), None),
        ("maps", np.random.default_rng(0).random((10, 4, 4, 8)), None),
        ("reconstruction", digits[:, :, :, None], 1),
    ]
    common.plot_reconstructions(rows, path)
    parts, labels = cells(path, rows=4, columns=10)
    assert all(ink(part) > 0.5 for row in parts for part in row)
    side = labels.shape[0] // 4
    assert all(ink(labels[y * side : (y + 1) * side]) > 0.5 for y in range(4))
    # The first and the last digit stand where they belong, and so does every other.
    for x in range(10):
        np.testing.assert_allclose(parts[0][x], parts[3][x], atol=0.01)
    assert not np.allclose(parts[0][0], parts[0][1], atol=0.1)


def test_a_digit_is_shown_upright_and_bright_on_dark(tmp_path):
    digit = np.zeros((28, 28))
    digit[:14, :14] = 1  # the upper left quarter
    common.plot_reconstructions([("a", [digit], 1)], tmp_path / "a.png")
    ((part,),), _ = cells(tmp_path / "a.png", rows=1, columns=1)
    middle = part.shape[0] // 2
    for y, x, colour in [(-20, -20, 1), (-20, 20, 0), (20, -20, 0), (20, 20, 0)]:
        assert part[middle + y, middle + x, :3] == pytest.approx(colour, abs=0.01)


def test_black_codes_do_no_harm(tmp_path):
    common.plot_reconstructions([("a", np.zeros((3, 16)), None)], tmp_path / "a.png")
    assert ink(imread(tmp_path / "a.png")) == 1  # black on white


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1,), (1, 1)),
        ((2,), (1, 2)),
        ((16,), (4, 4)),
        ((17,), (4, 5)),
        ((32,), (4, 8)),
        ((64,), (8, 8)),
        ((128,), (8, 16)),
        ((784,), (28, 28)),
        ((1009,), (32, 32)),
        ((28, 28), (28, 28)),
        ((28, 28, 1), (28, 28)),
        ((4, 4, 8), (9, 19)),
        ((3, 5, 7), (11, 17)),
    ],
)
def test_code_of_any_size_is_an_image(shape, expected):
    values = np.arange(1, np.prod(shape) + 1).reshape(shape)
    image = common.as_image(values)
    assert image.shape == expected
    assert sorted(image[np.isfinite(image)]) == sorted(values.ravel())


@pytest.mark.parametrize("epochs", [1, 2, 50])
def test_history(epochs, tmp_path):
    losses = np.linspace(0.3, 0.1, epochs)
    curves = {"loss": losses, "val_loss": losses + 0.05}
    common.plot_history(curves, tmp_path / "history.png")
    picture = imread(tmp_path / "history.png")
    assert picture.shape[:2] == (4 * INCH, 7 * INCH)
    middle = picture[:, 380:520, :3]  # left of the legend
    orange = middle[..., 0] > middle[..., 2] + 0.3
    blue = middle[..., 2] > middle[..., 0] + 0.3
    assert orange.sum() > 20 and blue.sum() > 20  # even a single point is to be seen


@pytest.fixture
def no_dot(monkeypatch):
    """A machine without Graphviz, in a virtual environment that is not activated."""
    monkeypatch.setenv("PATH", "")


def test_old_code_fails_without_graphviz(no_dot, tmp_path):
    with pytest.raises(ImportError, match="graphviz"):
        keras.utils.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")


def test_architecture_without_graphviz(no_dot, tmp_path):
    common.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")
    height, width, _ = imread(tmp_path / "model.png").shape
    assert height > 14 * 60 and width > 300  # 14 layers, one above the other
    assert ink(imread(tmp_path / "model.png")) == 1


def test_dot_comes_first(tmp_path, monkeypatch):
    """A `dot` that only says that it was asked, in front of all others."""
    dot = tmp_path / "dot"
    dot.write_text(f"#!/bin/sh\necho $@ > {tmp_path / 'asked'}\nexit 1\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    common.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")
    assert "-Tpng" in (tmp_path / "asked").read_text()


def test_without_any_program_one_line_says_what_to_install(
    no_dot, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert shutil.which("graphviz-pure", path=str(tmp_path)) is None
    common.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install" in said and "graphviz-pure" in said
    assert not (tmp_path / "model.png").exists()
