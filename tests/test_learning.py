"""Whether the networks learn, and whether the table and the pictures say what is so."""

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import SCRIPTS, write_npz
from matplotlib.image import imread
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

import common

ROW = re.compile(r"(?m)^(\w.*?) +(\d+) +(\S+)x +(\S+) +(\S+) +(\S+) dB +(\S+)%$")
# The mean digit's MSE is 0.068, that of an untrained network 0.23. Conv's first run, of 62
# updates alone, ends at 0.057, and at Keras's own rate of Adadelta at 0.23.
REACHED = {"simple": 0.055, "deep": 0.06, "conv": 0.061}
PARAMETERS = {"simple": "25,888", "deep": "222,384", "conv": "4,385"}
ADAM = {"simple": 0.001, "deep": 0.0015, "conv": 0.005}  # its own rates


def table(output):
    """The closing table: label to (code size, compression, cross-entropy, MSE, PSNR, %)."""
    return {row[0]: [*map(float, row[1:])] for row in ROW.findall(output)}


def predict(model, x):
    return model.predict(x, verbose=0)


def mse(a, b):
    return float(np.mean((a - b) ** 2))


def entropy(x, p):
    """The mean binary cross-entropy, by its definition."""
    x, p = x.astype("float64"), np.clip(p.astype("float64"), 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(p) + (1 - x) * np.log(1 - p)))


def second_parts(autoencoder, split=2):
    """The encoder and the decoder of deep's second split."""
    code = autoencoder.layers[split].output
    return keras.Model(autoencoder.input, code), keras.Model(code, autoencoder.output)


@pytest.fixture(scope="session")
def with_pca(digits):
    """Codes and images by PCA, here by singular values and not by the covariance."""
    pca = PCA(svd_solver="full").fit(digits[0][0].reshape(4000, 784))

    def codes_and_images(x, k):
        codes = pca.transform(x.reshape(len(x), 784))[:, :k]
        images = codes @ pca.components_[:k] + pca.mean_
        return codes, images.reshape(x.shape)

    return codes_and_images


@pytest.mark.parametrize("name", SCRIPTS)
def test_first_run(name, first_runs, digits, with_pca):
    """It learns, and what it says and draws of its losses is true of what it saved."""
    run = first_runs[name]
    shape = run.x_test.shape[1:]
    x_train, x_test = (x.reshape(-1, *shape) for x, _ in digits)
    np.testing.assert_array_equal(run.x_train[:4000], x_train)
    assert f"{run.x_train.shape} {run.x_test.shape}\n" in run.said
    assert not set(run.said) & set("\r\b\x1b")  # no bar that redraws itself
    assert f" Total params: {PARAMETERS[name]} " in run.said
    trained = run.history.model
    used = [x.activation.__name__ for x in trained.layers if hasattr(x, "activation")]
    assert used.pop() == "sigmoid" and set(used) == {"relu"}
    assert trained.steps_per_execution == 47

    names = ("autoencoder", "encoder", "decoder")
    saved = [common.load_model(name, run.args.folder) for name in names]
    weights = saved[0].get_weights(), trained.get_weights()
    for loaded, learnt in zip(*weights, strict=True):
        assert loaded.tobytes() == learnt.tobytes()  # bit for bit
    assert "decoder(encoder(x)) and autoencoder(x) differ by " in run.said
    codes = predict(saved[1], x_test)
    decoded = predict(saved[2], codes)
    assert mse(x_test, decoded) < REACHED[name] < mse(x_test, x_train.mean(axis=0))
    np.testing.assert_allclose(run.encoded_imgs, codes, 1e-4)
    np.testing.assert_allclose(run.decoded_imgs, decoded, atol=1e-5)

    # The last validation loss is that of the saved network on the test digits.
    saved[0](x_test)
    penalty = float(sum(saved[0].losses))
    loss, losses = entropy(x_test, decoded) + penalty, run.history.history
    assert losses["val_loss"][-1] == pytest.approx(loss, abs=2e-4)
    assert f"- val_loss: {losses['val_loss'][-1]:.4f}\n" in run.said
    # The training loss is of the training digits: close, as all of them are learnt.
    assert losses["loss"][-1] == pytest.approx(loss, rel=0.1)
    if name == "simple":
        parts = re.search(r"penalty: (\S+) \+ (\S+) = (\S+)$", run.said, re.MULTILINE)
        expected = [loss - penalty, penalty, loss]
        assert [*map(float, parts.groups())] == pytest.approx(expected, abs=6e-5)

    (axes,) = run.figures["history.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    lines = {line.get_label().split(":")[0]: line for line in axes.lines}
    for label in ("loss", "val_loss"):
        assert [*lines[label].get_xdata()] == [*range(1, SCRIPTS[name] + 1)]
        assert [*lines[label].get_ydata()] == losses[label]
    _, pca_imgs = with_pca(x_test, codes[0].size)
    levels = entropy(x_test, pca_imgs), entropy(x_test, x_test)
    drawn = [lines[label].get_ydata()[0] for label in ("PCA", "floor")]
    assert drawn == pytest.approx(levels, abs=1e-4)
    assert len({line.get_color() for line in axes.lines}) == 4
    assert len(axes.get_legend().texts) == 4 and not (axes.get_xticks() % 1).any()


@pytest.mark.parametrize("name", SCRIPTS)
def test_table(name, first_runs, digits, with_pca):
    """Every number of the table, by its definition."""
    run = first_runs[name]
    (_, y_train), (_, y_test) = digits
    x_train, x_test, expected = run.x_train[:4000], run.x_test, []
    second = [second_parts(run.autoencoder)] if name == "deep" else []
    for encoder, decoder in [(run.encoder, run.decoder), *second]:
        codes, known = predict(encoder, x_test), predict(encoder, x_train)
        expected.append((predict(decoder, codes), codes, known))
        codes, images = with_pca(x_test, k := codes[0].size)
        expected.append((images, codes, with_pca(x_train, k)[0]))
    rows = table(run.said).values()
    for row, (images, codes, known) in zip(rows, expected, strict=True):
        error, size = mse(x_test, images), codes[0].size
        assert row[:2] == [size, pytest.approx(784 / size, abs=0.051)]
        assert row[2] == pytest.approx(entropy(x_test, images), abs=2e-4)
        assert row[3] == pytest.approx(error, abs=2e-5)
        assert row[4] == pytest.approx(-10 * np.log10(error), abs=0.02)
        nearest = KNeighborsClassifier(1).fit(known.reshape(4000, -1), y_train)
        share = 100 * nearest.score(codes.reshape(1000, -1), y_test)
        assert row[5] == pytest.approx(share, abs=0.11) and share > 50
    floor = re.search(r"^floor +(\S+)$", run.said, re.MULTILINE)[1]
    assert float(floor) == pytest.approx(entropy(x_test, x_test), abs=6e-5)


def drawn(figure, n):
    """The images of a figure of `plot_rows`, black as 0: label to a list, n at the most."""
    (axes,) = figure.axes
    rows = {text.get_text(): [] for text in axes.texts}
    middles = {text.get_position()[1]: text.get_text() for text in axes.texts}
    for image in axes.images:
        left, _, bottom, top = image.get_extent()
        label = middles[min(middles, key=lambda y: abs(y - (bottom + top) / 2))]
        assert int(left) == len(rows[label]) < n
        rows[label].append(np.asarray(image.norm(image.get_array())))
    return rows


def scaled(values):
    """The largest is white; or the largest magnitude red or blue, and 0 in the middle."""
    values = values / np.abs(values).max()
    return values if values.min() >= 0 else (values + 1) / 2


def assert_row(images, expected, atol=1e-5):
    expected = np.reshape(expected[: len(images)], (len(images), *images[0].shape))
    np.testing.assert_allclose(np.array(images, float), expected, atol=atol)


@pytest.mark.parametrize("name", SCRIPTS)
def test_reconstructions(name, first_runs, with_pca):
    run = first_runs[name]
    n, k = (12 if name == "simple" else 10), run.encoded_imgs[0].size
    rows = drawn(run.figures["reconstructions.png"], n)
    assert {len(row) for row in rows.values()} == {n}
    assert_row(rows.pop("original"), run.x_test)
    assert_row(rows.pop("reconstruction"), run.decoded_imgs)
    assert_row(rows.pop(f"PCA {k}"), with_pca(run.x_test, k)[1], atol=2e-3)
    if name == "deep":
        second = predict(second_parts(run.autoencoder)[0], run.x_test[:n])
        assert_row(rows.pop("layer 2"), scaled(second))
    codes, expected = rows.pop("code"), scaled(run.encoded_imgs[:n])
    assert not rows
    if name == "conv":  # eight maps, two side by side, a gap between
        for code, maps in zip(codes, expected, strict=True):
            np.testing.assert_allclose(code[5:9, 5:9], maps[:, :, 3], atol=1e-5)
            np.testing.assert_allclose(code[15:, :4], maps[:, :, 6], atol=1e-5)
            assert np.isnan(code[4]).all()
    else:
        assert_row(codes, expected)


def test_colours_and_layout_of_a_picture(tmp_path):
    """Digits from 0 to 1, other rows by their largest value, red and blue below 0."""
    digit = np.pad(np.full((14, 14), 0.5), ((0, 14), (0, 14)))  # the upper left
    rows = {"digits": [digit] * 3, "code": [np.arange(3.0)] * 2}
    rows["signed"] = [np.array([[-3, 1.0]])]
    for _ in range(2):  # the second one is not drawn over the first one
        common.plot_rows(rows, 2, tmp_path / "a.png", scaled=["code", "signed"])
    (axes,) = plt.figure("a.png").axes
    images = axes.images
    assert [x.get_clim() for x in images] == [(0, 1)] * 2 + [(0, 2)] * 2 + [(-3, 3)]
    assert [x.get_cmap().name for x in images] == ["gray"] * 4 + ["RdBu_r"]
    assert np.isnan(np.ma.filled(images[2].get_array(), np.nan)).sum() == 1  # a gap
    picture = imread(tmp_path / "a.png")[..., 0]
    assert np.ptp(picture[20:80, :200]) > 0.5  # the label, 1.8 inches wide
    digit = picture[:96, 216 + 96 :]  # the second one, of 0.8 inches
    assert digit[30, 30] == pytest.approx(0.5, abs=0.01)
    assert digit[70, 30] == digit[30, 70] == 0 and digit[1, 1] == 1


def test_what_each_number_of_the_code_draws(first_runs, with_pca):
    run = first_runs["simple"]
    added, components = drawn(run.figures["code.png"], 16).values()
    assert_row(added, scaled(run.decoder.get_weights()[0]))
    # A component is the code of which one number is 1, of either sign, and no other.
    axes = np.reshape(components, (16, 784)) * 2 - 1
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True) + run.x_train.mean(axis=0)
    np.testing.assert_allclose(np.abs(with_pca(axes, 16)[0]), np.eye(16), atol=1e-2)


def test_walk(first_runs):
    run = first_runs["deep"]
    codes, pixels, random = drawn(run.figures["walk.png"], 10).values()
    assert_row([codes[0], codes[9]], run.decoded_imgs)
    between = run.encoded_imgs[0] + (run.encoded_imgs[1] - run.encoded_imgs[0]) * 4 / 9
    assert_row([codes[4]], predict(run.decoder, between[None]))
    assert_row([pixels[0], pixels[9]], run.x_test)
    assert_row([pixels[3]], [run.x_test[0] * 2 / 3 + run.x_test[1] / 3])
    # Random codes are no digit's own, but of values that codes have.
    for image in random:
        assert np.abs(run.decoded_imgs - image.ravel()).max(axis=1).min() > 0.1
    assert 0.3 < np.mean(random) / np.mean(run.decoded_imgs) < 3


def test_layers_model_and_logs(first_runs):
    run = first_runs["conv"]
    rows = drawn(run.figures["layers.png"], 16)
    labels, maps = [*rows], [*rows.values()]
    assert len(rows) == 14 and labels[6].endswith("(4, 4, 8)")
    assert_row(maps[0], scaled(run.x_test[:1]))
    assert_row(maps[6], scaled(np.moveaxis(run.encoded_imgs[0], 2, 0)))
    assert_row(maps[13], scaled(run.decoded_imgs[:1]))
    picture = imread(run.args.folder / "model.png")
    assert picture.shape[0] > 14 * 120 and np.ptp(picture[..., :3]) == 1
    logs = (run.args.folder / "logs").rglob("events*")
    assert {path.parent.name for path in logs} == {"train", "validation"}


@pytest.mark.parametrize("name", ["simple", "deep"])
def test_map_of_a_code_of_two(name, run, npz, digits):
    words = "--encoding-dim", "2", "--epochs", "1", "--optimizer", "adam"
    done = run(name, *words, data=npz)
    assert float(done.optimizer.learning_rate) == pytest.approx(ADAM[name])
    labels, figure = digits[1][1], plt.figure("map.png")
    assert [x.get_text() for x in figure.legends[0].texts] == [*"0123456789"]
    codes = done.encoded_imgs, done.pca.transform(done.x_test)
    decoders = done.decoder.predict, done.pca.inverse_transform
    maps = zip(figure.axes[::2], figure.axes[1::2], codes, decoders, strict=True)
    for upper, lower, codes, decode in maps:
        assert upper.get_position().y0 > lower.get_position().y0
        for digit, points in enumerate(upper.collections):  # each digit in its place
            offsets = points.get_offsets()
            np.testing.assert_allclose(offsets, codes[labels == digit], atol=1e-4)
            assert points.get_label() == str(digit)
        assert len({tuple(x.get_facecolor()[0]) for x in upper.collections}) == 10
        # In a corner below stands what the decoder makes of that corner of the map.
        (image,) = lower.images
        left, right, bottom, top = box = image.get_extent()
        assert box == [*upper.get_xlim(), *upper.get_ylim()]
        corners = decode(np.array([(right, top), (left, bottom)], "float32"))
        drawn = np.asarray(image.get_array())
        parts = [drawn[:28, -28:], drawn[-28:, :28]]
        np.testing.assert_allclose(parts, corners.reshape(2, 28, 28), atol=1e-3)


@pytest.mark.parametrize("name", SCRIPTS)
def test_digits_are_shuffled(name, run, digits, tmp_path):
    """In the order of the file, first all zeros and then all ones, little is learnt."""
    parts = []
    for x, y in digits:
        order = np.concatenate([np.flatnonzero(y == digit)[:400] for digit in (0, 1)])
        parts.append((x[order], y[order]))
    data = write_npz(tmp_path / "sorted.npz", *parts)
    words = ["--optimizer", "adam", "--learning-rate", "0.005", "--batch-size", "40"]
    done = run(name, *words, "--epochs", "2", data=data)
    assert mse(done.x_test, done.decoded_imgs) < 0.06
    assert float(done.optimizer.learning_rate) == pytest.approx(0.005)


def test_seed_decides_the_weights(run, npz):
    """Bit for bit, with large batches too, whose parts are worked on at the same time."""
    words = "--epochs", "4", "--batch-size", "1000", "--optimizer", "adam", "--seed"
    runs = [run("conv", *words, seed, data=npz) for seed in (0, 0, 0, 1)]
    weights = [done.autoencoder.get_weights() for done in runs]
    for first, *same, other in zip(*weights, strict=True):
        assert {x.tobytes() for x in same} == {first.tobytes()} != {other.tobytes()}
    assert float(runs[0].optimizer.learning_rate) == pytest.approx(ADAM["conv"])


def test_speed_settings():
    """XLA does not pay for a few epochs, and slows other layers than Dense down."""
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(784)])
    assert common.speed_settings(model, 10)["jit_compile"] is True
    assert "jit_compile" not in common.speed_settings(model, 9)
    model.add(keras.layers.Dropout(0.5))
    assert "jit_compile" not in common.speed_settings(model, 50)
