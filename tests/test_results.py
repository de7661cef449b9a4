"""The closing table, what it compares with, and the pictures, down to their pixels."""

import shutil
import sysconfig

import keras
import numpy as np
import pytest
from matplotlib.image import imread

import common
import conv_autoencoder

INCH = 120  # pixels


def test_pca_is_the_best_linear_code(digits):
    x_train, x_test = (x.reshape(len(x), 784) for x in digits)
    mean = x_train.mean(axis=0)
    # Independently: the singular value decomposition of the centred digits.
    _, _, axes = np.linalg.svd(x_train - mean, full_matrices=False)
    for k in (1, 16, 128):
        expected = (x_test - mean) @ axes[:k].T @ axes[:k] + mean
        got = common.pca(x_train, x_test, k)
        np.testing.assert_allclose(got, expected, atol=1e-3)
        assert got.dtype == np.float32
    for k in (784, 1000):  # all components lose nothing
        np.testing.assert_allclose(common.pca(*digits, k), digits[1], atol=1e-4)


def test_table_against_the_definitions(digits, capsys, tmp_path):
    x = digits[1]
    images = np.clip(x * 0.8 + 0.1, 0, 1)
    common.print_table(x, [("any label", 49, images)], tmp_path)
    lines = {line[:9]: line.split() for line in capsys.readouterr().out.splitlines()}
    x, p = x.astype("float64"), images.astype("float64")
    entropy = -np.mean(x * np.log(p) + (1 - x) * np.log(1 - p))
    mse = np.mean((x - p) ** 2)
    row = lines["any label"]
    assert row[2:4] == ["49", "16.0x"]
    assert float(row[4]) == pytest.approx(entropy, abs=6e-5)
    assert float(row[5]) == pytest.approx(mse, abs=6e-6)
    assert float(row[6]) == pytest.approx(-10 * np.log10(mse), abs=6e-3)
    grey = x[(x > 0) & (x < 1)]
    own = -(grey * np.log(grey) + (1 - grey) * np.log(1 - grey)).sum() / x.size
    assert float(lines["floor    "][1]) == pytest.approx(own, abs=6e-5)


def test_settings_for_speed_lose_no_update(digits):
    """73 updates in groups of 47: the second group is short, and counts all the same."""
    x = digits[0][:2900].reshape(-1, 784)
    weights = []
    for settings in (
        {},
        common.speed_settings(50),
        common.speed_settings(50, xla=True),
    ):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((784,)), keras.layers.Dense(784, "sigmoid")]
        )
        model.compile("adam", "binary_crossentropy", **settings)
        model.fit(x, x, batch_size=40, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == 146
        weights.append(model.get_weights())
    for others in weights[1:]:
        for ours, theirs in zip(weights[0], others, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_short_runs_and_platforms_without_xla_do_without(monkeypatch, capsys):
    assert "jit_compile" not in common.speed_settings(2, xla=True)
    assert "jit_compile" not in common.speed_settings(50)
    assert common.speed_settings(50, xla=True)["jit_compile"] is True

    def fail(*_, **__):
        raise RuntimeError("no XLA\non this platform")

    monkeypatch.setattr(keras.Sequential, "predict", fail)
    assert common.speed_settings(50, xla=True) == common.speed_settings(50)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "no XLA on this platform" in said


def ink(picture):
    """How much a picture, or a part of it, differs within itself."""
    return float(np.ptp(picture[..., :3]))


def cells(rows, n, path):
    """Draw rows; return the parts of the figure, by row and column, and the labels."""
    common.plot_rows(rows, n, path)
    picture = imread(path)
    side, count = round(0.8 * INCH), len(rows)
    left = picture.shape[1] - n * side
    assert picture.shape[0] == pytest.approx(count * side, abs=2)
    columns = [picture[:, left + x * side : left + (x + 1) * side] for x in range(n)]
    parts = [[c[y * side : (y + 1) * side] for c in columns] for y in range(count)]
    return parts, [picture[y * side : (y + 1) * side, :left] for y in range(count)]


def test_rows(tmp_path, digits):
    x, rng = digits[1], np.random.default_rng(0)
    rows = {
        "original": x.reshape(-1, 784),
        "code 16": rng.random((10, 16)),
        "code": rng.random((10, 4, 4, 8)),
        "reconstruction": x[:, :, :, None],
    }
    parts, labels = cells(rows, 10, tmp_path / "any.png")
    assert all(ink(part) > 0.5 for row in parts for part in row)
    assert all(ink(label) > 0.5 for label in labels)
    # The first and the last digit stand where they belong, and so does every other.
    for i in range(10):
        np.testing.assert_allclose(parts[0][i], parts[3][i], atol=0.01)
    assert not np.allclose(parts[0][0], parts[0][1], atol=0.1)


def corners(part, across, down):
    """The grey values at points, given as parts of the distance to the picture's edge."""
    middle = part.shape[0] // 2
    return [
        round(
            float(
                part[middle + round(y * 0.46 * 96), middle + round(x * 0.46 * 96), 0]
            ),
            1,
        )
        for y in down
        for x in across
    ]


def test_a_digit_is_shown_upright_and_bright_on_dark(tmp_path):
    digit = np.zeros((1, 28, 28))
    digit[0, :14, :14] = 0.8  # the upper left quarter
    ((part,),), _ = cells({"a": digit}, 1, tmp_path / "a.png")
    assert corners(part, (-0.5, 0.5), (-0.5, 0.5)) == [0.8, 0, 0, 0]


@pytest.mark.parametrize(
    ("code", "across", "down", "expected"),
    [
        ([5, 0, 2, 1], (-0.5, 0.5), (-0.5, 0.5), [1, 0, 0.4, 0.2]),
        ([2, 1], (-0.5, 0.5), (0,), [1, 0.5]),
        ([3], (0,), (0,), [1]),
        ([0, 0], (-0.5, 0.5), (0,), [0, 0]),
        # Two lines of two; where there is nothing, the page is white.
        ([4, 0, 2], (-0.5, 0.5), (-0.5, 0.5), [1, 0, 0.5, 1]),
    ],
)
def test_a_code_is_put_into_lines(code, across, down, expected, tmp_path):
    ((part,),), _ = cells({"code": np.array([code])}, 1, tmp_path / "a.png")
    assert corners(part, across, down) == expected


def test_the_maps_of_a_code_are_put_side_by_side(tmp_path):
    code = np.zeros((1, 1, 1, 3))
    code[..., 0], code[..., 1], code[..., 2] = 5, 2, 1
    ((part,),), _ = cells({"code": code}, 1, tmp_path / "a.png")
    thirds = (-0.7, 0, 0.7)  # between the maps, and for the fourth: white
    assert corners(part, thirds, thirds) == [1, 1, 0.4, 1, 1, 1, 0.2, 1, 1]


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


def test_network_without_graphviz(tmp_path, monkeypatch):
    """In a virtual environment that is not activated."""
    monkeypatch.setenv("PATH", "")
    common.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")
    height, width, _ = imread(tmp_path / "model.png").shape
    assert height > 14 * 60 and width > 300  # 14 layers, one above the other
    assert ink(imread(tmp_path / "model.png")) == 1


def test_network_without_any_program_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert shutil.which("graphviz-pure", path=str(tmp_path)) is None
    common.plot_model(conv_autoencoder.build()[0], tmp_path / "model.png")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install" in said and "graphviz-pure" in said
    assert not (tmp_path / "model.png").exists()
