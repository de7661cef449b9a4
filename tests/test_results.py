"""The closing table, what it compares with, and the pictures, down to their pixels."""

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
        got, components = common.pca(x_train, x_test, k)
        np.testing.assert_allclose(got, expected, atol=1e-3)
        assert got.dtype == np.float32
        along = np.abs(np.sum(components * axes[:k], axis=1))  # of either sign
        np.testing.assert_allclose(along[:16], 1, atol=1e-3)
    for k in (784, 1000):  # all components lose nothing
        np.testing.assert_allclose(common.pca(*digits, k)[0], digits[1], atol=1e-4)


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
    for epochs in (0, 1, 50):  # 50 are enough for XLA
        keras.utils.set_random_seed(0)
        layer = keras.layers.Dense(784, "sigmoid")
        model = keras.Sequential([keras.Input((784,)), layer])
        settings = common.speed_settings(model, epochs) if epochs else {}
        model.compile("adam", "binary_crossentropy", **settings)
        model.fit(x, x, batch_size=40, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == 146
        weights.append(np.ravel(layer.kernel))
    np.testing.assert_allclose(weights[1:], weights[:1] * 2, atol=1e-4)


def test_every_epoch_has_an_order_of_its_own():
    """Each epoch meets all digits, in another order; a seed repeats all of them."""
    x, met, runs = np.arange(12.0).reshape(12, 1), [], []

    def note(labels, predictions):
        met.extend(keras.ops.convert_to_numpy(labels)[:, 0])
        return predictions

    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=[note], run_eagerly=True)
        met.clear()
        model.fit(x, x, batch_size=4, epochs=3, verbose=0)
        epochs = np.reshape(met, (3, 12))
        assert (np.sort(epochs) == x.T).all()
        assert len({*map(tuple, epochs)}) == 3
        runs.append(epochs.tolist())
    assert runs[0] == runs[1] != runs[2]


def test_where_xla_is_slower_or_missing(monkeypatch):
    dense = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    plain = common.speed_settings(dense, 2)
    for slower in (keras.layers.Dropout(0.5), keras.layers.Conv2D(1, 1)):
        assert common.speed_settings(keras.Sequential([slower]), 50) == plain
    assert common.speed_settings(dense, 50) == plain | {"jit_compile": True}
    monkeypatch.setattr(common.tf.test, "is_built_with_xla", lambda: False)
    assert common.speed_settings(dense, 50) == plain | {"jit_compile": False}


def ink(picture):
    """How much a picture, or a part of it, differs within itself."""
    return float(np.ptp(picture[..., :3]))


def cells(rows, n, path, **more):
    """Draw rows; return the parts of the figure, by row and column, and the labels."""
    common.plot_rows(rows, n, path, **more)
    picture, side = imread(path), round(0.8 * INCH)
    left, high = picture.shape[1] - n * side, picture.shape[0] // len(rows)
    lines = np.split(picture[: len(rows) * high], len(rows))
    parts = [np.split(line[:, left : left + n * side], n, axis=1) for line in lines]
    return parts, [line[:, :left] for line in lines]


def test_rows(tmp_path, digits):
    x, rng = digits[1], np.random.default_rng(0)
    rows = {"original": x.reshape(-1, 784), "code 16": rng.random((10, 16))}
    rows |= {"maps": rng.random((10, 7, 7)), "reconstruction": x[:, :, :, None]}
    parts, labels = cells(rows, 10, tmp_path / "any.png")
    assert all(ink(part) > 0.5 for row in parts for part in row)
    assert all(ink(label) > 0.5 for label in labels)
    # The first and the last digit stand where they belong, and so does every other.
    for i in range(10):
        np.testing.assert_allclose(parts[0][i], parts[3][i], atol=0.01)
    assert not np.allclose(parts[0][0], parts[0][1], atol=0.1)


QUARTER = np.pad(np.full((14, 14), 0.8), ((0, 14), (0, 14)))  # the upper left
POINTS, THIRDS = (-0.5, 0.5), (-0.7, 0, 0.7)  # 0 is between two maps


@pytest.mark.parametrize(
    ("label", "image", "points", "expected"),
    [
        ("a digit", QUARTER, POINTS, [0.8, 0, 0, 0]),
        ("code", [5, 0, 2, 1], POINTS, [1, 0, 0.4, 0.2]),  # two lines of two
        ("code", [5, 0, 2], POINTS, [1, 0, 0.4, 1]),  # nothing is as white as the page
        ("code", [3], (0,), [1]),
        ("code", [0, 0, 0, 0], POINTS, [0, 0, 0, 0]),
        ("code", [[[5, 2, 1]]], THIRDS, [1, 1, 0.4, 1, 1, 1, 0.2, 1, 1]),  # three maps
        ("maps", [[0.8, 0], [0.2, 1]], POINTS, [0.8, 0, 0.2, 1]),
    ],
)
def test_how_an_image_is_laid_out(label, image, points, expected, tmp_path):
    images = np.array([image], dtype=float)
    ((part,),), _ = cells({label: images}, 1, tmp_path / "a.png")
    at = [part.shape[0] // 2 + round(x * 0.46 * 96) for x in points]
    assert [round(float(part[y, x, 0]), 1) for y in at for x in at] == expected


def test_a_code_higher_than_wide_gets_its_height(tmp_path):
    """Eight maps of 4 x 4, two side by side: as wide as a digit, and twice as high."""
    codes = np.ones((2, 4, 4, 8))
    ((part, _),), _ = cells({"code": codes}, 2, tmp_path / "a.png")
    height, width, _ = part.shape
    assert height == pytest.approx(width * (0.92 * 19 / 9 + 0.08), abs=1)
    for y in (0.1, 0.38, 0.62, 0.9):  # a map in each quarter
        assert part[round(y * height), 20, 0] == 1 == part[round(y * height), -20, 0]


@pytest.mark.parametrize(("label", "signed"), [("any", True), ("code", False)])
def test_signed_images_have_white_in_the_middle(label, signed, tmp_path):
    rows = {label: np.array([[[2, -2], [0, 1]]])}
    ((part,),), _ = cells(rows, 1, tmp_path / "a.png", signed=signed)
    red, blue, white, pale = (part[y, x, :3] for y in (24, 72) for x in (24, 72))
    assert red[0] > red[2] + 0.2 and blue[2] > blue[0] + 0.2
    assert white.min() > 0.9 and red[2] < pale[2] < white[2]


@pytest.mark.parametrize("epochs", [1, 50])  # even a single point is to be seen
def test_history(epochs, tmp_path):
    losses = np.linspace(0.3, 0.1, epochs)
    curves = {"loss": losses, "val_loss": losses + 0.05}
    levels = {"PCA": 0.15, "floor": 0.06}
    common.plot_history(curves, levels, tmp_path / "history.png")
    middle = imread(tmp_path / "history.png")[:, 380:520, :3]  # left of the legend
    red, green, blue = np.moveaxis(middle, -1, 0)
    assert (red > blue + 0.3).sum() > 20  # orange
    assert (blue > red + 0.3).sum() > 20  # blue
    assert (green > np.maximum(red, blue) + 0.3).sum() > 20  # PCA's line
    assert ((red > green + 0.3) & (abs(green - blue) < 0.1)).sum() > 20  # the floor's


def test_network_without_graphviz(tmp_path, monkeypatch, capsys):
    """In a virtual environment that is not activated; then without graphviz-pure too."""
    path = tmp_path / "model.png"
    monkeypatch.setenv("PATH", "")
    common.plot_model(conv_autoencoder.build()[0], path)
    height, width, _ = imread(path).shape
    assert height > 14 * 60 and width > 300  # 14 layers, one above the other
    assert ink(imread(path)) == 1
    path.unlink()
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    common.plot_model(conv_autoencoder.build()[0], path)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "pip install pydot graphviz-pure" in said
    assert not path.exists()
