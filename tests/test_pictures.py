"""The pictures: what each shows, and that no settings of the user change it."""

import common

import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import (
    SCRIPTS,
    Cells,
    assert_images,
    by_largest,
    drawn_rows,
    entropy,
    predict,
    sampled,
    second_parts,
)
from matplotlib.image import imread

# What a user's matplotlibrc may say, and what it did to pictures.
HOSTILE = {
    "image.origin": "lower",
    "image.cmap": "jet",
    "savefig.format": "pdf",
    "savefig.dpi": 30,
    "savefig.facecolor": "black",
    "text.usetex": True,
    "font.size": 30,
    "figure.facecolor": "red",
    "figure.autolayout": True,
    "axes.grid": True,
    "lines.linewidth": 20,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_reconstructions(name, first_run):
    """Digits, codes, reconstructions and PCA's, in rows below each other."""
    run = first_run(name)
    n = 12 if name == "simple" else 10
    rows = drawn_rows(run.figures["reconstructions.png"], n)
    size = run.encoded_imgs[0].size
    labels = ["original", "code", "reconstruction", f"PCA {size}"]
    if name == "deep":
        labels.insert(2, "code of layer 2")
    assert list(rows) == labels
    assert_images(rows["original"], run.x_test.reshape(-1, 784))
    assert_images(rows["reconstruction"], run.decoded_imgs.reshape(-1, 784))
    pca_imgs = np.clip(run.pca_imgs.reshape(-1, 784), 0, 1)
    assert_images(np.clip(rows[f"PCA {size}"], 0, 1), pca_imgs)


def test_codes_of_simple_are_images_of_4_x_4(first_run):
    run = first_run("simple")
    drawn = drawn_rows(run.figures["reconstructions.png"], 12)["code"]
    assert_images(drawn, by_largest(run.encoded_imgs[:12]).reshape(12, 4, 4))


def test_codes_of_deep(first_run):
    """32 numbers in a square of 6 x 6, of which four stay empty; 64 in one of 8 x 8."""
    run = first_run("deep")
    rows = drawn_rows(run.figures["reconstructions.png"], 10)
    codes = by_largest(run.encoded_imgs[:10])
    for image, code in zip(rows["code"], codes, strict=True):
        values = sampled(image, 6, 6).ravel()
        np.testing.assert_allclose(values[:32], code, atol=1e-5)
        assert np.isnan(values[32:]).all()
    second = predict(second_parts(run.autoencoder)[0], run.x_test[:10])
    assert_images(rows["code of layer 2"], by_largest(second).reshape(10, 8, 8))


def test_codes_of_conv_are_maps(first_run):
    """Eight maps in a square of 3 x 3, with lines between them."""
    run = first_run("conv")
    drawn = drawn_rows(run.figures["reconstructions.png"], 10)["code"]
    codes = by_largest(run.encoded_imgs[:10])
    for image, maps in zip(drawn, codes, strict=True):
        values = sampled(image, 14, 14)
        np.testing.assert_allclose(values[:4, 5:9], maps[:, :, 1], atol=1e-5)
        np.testing.assert_allclose(values[10:, 5:9], maps[:, :, 7], atol=1e-5)
        assert np.isnan(values[4]).all()
        assert np.isnan(values[10:, 10:]).all()


def test_colours_of_a_picture(tmp_path):
    """Rows of their own scale: 0 is black; red and blue where values go below 0."""
    digits = np.full((3, 28, 28), 0.5)
    rows = {"digits": digits, "code": [[0.0, 2.0]], "signed": np.array([[-3.0, 1.0]])}
    rows["code"] = np.array(rows["code"])
    for _ in range(2):  # the second one is not drawn over the first one
        common.plot_rows(rows, 2, tmp_path / "a.png", scaled=["code", "signed"])
    figure = plt.figure("a.png")
    images = [axes.images[0] for axes in figure.axes]
    assert [image.get_clim() for image in images] == [(0, 1), (0, 2), (-3, 3)]
    assert [image.get_cmap().name for image in images] == ["gray", "gray", "RdBu_r"]
    drawn = drawn_rows(figure, 2)
    assert np.isnan(drawn["code"][1]).all()  # there is but one
    np.testing.assert_allclose(drawn["digits"][1], 0.5)


def test_picture_as_it_is_seen(tmp_path):
    """The first row is above, a digit stands upright, with a label, and gaps are white."""
    digit = np.zeros((28, 28))
    digit[:14, :14] = 1  # the upper left
    rows = {"first": np.array([digit, digit]), "second": np.zeros((2, 28, 28))}
    common.plot_rows(rows, 2, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3].mean(axis=2)
    height = len(picture)
    black = (picture < 0.1).mean(axis=0) > 0.3  # of columns: those with images
    left = np.flatnonzero(black)[0]
    assert picture[height // 8, left + 3] > 0.9
    assert picture[height // 8 * 3, left + 3] < 0.1  # the lower part of the first row
    assert picture[height // 4 * 3, left + 3] < 0.1  # the second row
    assert picture[:, :left].min() < 0.5  # the labels
    right = picture[:, left:]
    assert ((right > 0.99).all(axis=0)).any()  # a gap between the two


@pytest.mark.parametrize("text", ["rows", "history", "maps"])
def test_settings_of_the_user_change_no_picture(text, tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.random((50, 2))
    images = rng.random((256, 784))

    def draw(path):
        if text == "rows":
            common.plot_rows({"a": images[:3], "b": codes - 0.5}, 3, path, scaled=["b"])
        elif text == "history":
            common.plot_history({"loss": [2, 1]}, {"floor": 0.5}, path)
        else:
            common.plot_maps({"a": codes}, {"a": images}, np.arange(50) % 3, path)

    draw(tmp_path / "usual.png")
    with plt.rc_context(HOSTILE):
        draw(tmp_path / "hostile.png")
        assert plt.rcParams["image.origin"] == "lower"  # and they are left as they were
    usual = imread(tmp_path / "usual.png")
    np.testing.assert_array_equal(usual, imread(tmp_path / "hostile.png"))


def test_what_each_number_of_the_code_draws(first_run):
    """Each image by its own largest weight, so that none is pale."""
    run = first_run("simple")
    rows = list(drawn_rows(run.figures["code.png"], 16).values())
    weights = run.decoder.get_weights()[0]
    for drawn, values in zip(rows, (weights, run.pca.components_), strict=True):
        for image, numbers in zip(drawn, values, strict=True):
            expected = (numbers / np.abs(numbers).max() + 1) / 2
            small = sampled(image, 28, 28)
            np.testing.assert_allclose(small, expected.reshape(28, 28), atol=1e-5)


def test_mixing_codes_and_pixels(first_run):
    run = first_run("deep")
    codes, pixels, _ = drawn_rows(run.figures["walk.png"], 10).values()
    first = run.encoded_imgs[0]
    second = run.encoded_imgs[1]
    expected = [
        predict(run.decoder, (first + (second - first) * i / 9)[None]) for i in range(10)
    ]
    assert_images(codes, np.concatenate(expected))
    x = run.x_test
    assert_images(pixels, np.array([x[0] * (9 - i) / 9 + x[1] * i / 9 for i in range(10)]))


def test_random_codes(first_run):
    """Each number is one that a real code has in its place; no code is a digit's own."""
    run = first_run("deep")
    assert run.random_codes.shape == (10, 32)
    for place in range(32):
        numbers = set(run.encoded_imgs[:, place].tolist())
        assert set(run.random_codes[:, place].tolist()) <= numbers
    real_codes = {code.tobytes() for code in run.encoded_imgs}
    assert not {code.tobytes() for code in run.random_codes} & real_codes
    drawn = list(drawn_rows(run.figures["walk.png"], 10).values())[2]
    assert_images(drawn, predict(run.decoder, run.random_codes))


def test_random_codes_are_those_of_the_seed(first_run, loaded_run, few, tmp_path):
    first = first_run("deep").random_codes
    again = loaded_run("deep").random_codes
    np.testing.assert_allclose(again, first, rtol=1e-4, atol=1e-5)
    cells = Cells("deep", few, tmp_path)
    cells.variables["encoded_imgs"] = first_run("deep").encoded_imgs
    cells.variables["decoder"] = first_run("deep").decoder
    cells.variables["x_test"] = first_run("deep").x_test
    cells.variables["n"] = 10
    cells.variables["folder"] = tmp_path
    cells.args.seed = 1
    cells.run("画图：插值")
    assert np.abs(cells.random_codes - first).max() > 1e-3


def test_layers(first_run):
    """A row for each of the 14 layers, with its maps side by side."""
    run = first_run("conv")
    rows = drawn_rows(run.figures["layers.png"], 16)
    labels = list(rows)
    drawn = list(rows.values())
    assert len(labels) == 14
    assert labels[6].endswith("\n(4, 4, 8)")
    assert_images(drawn[0][:1], by_largest(run.x_test[:1, :, :, 0]))
    maps = np.moveaxis(run.encoded_imgs[0], 2, 0)
    assert_images(drawn[6][:8], by_largest(maps))
    assert np.isnan(drawn[6][8]).all()
    assert_images(drawn[13][:1], by_largest(run.decoded_imgs[:1, :, :, 0]))


def test_model_and_logs(first_run):
    run = first_run("conv")
    picture = imread(run.folder / "model.png")
    assert picture.shape[0] > 14 * 120  # 14 layers, with their shapes
    assert np.ptp(picture[..., :3]) == 1
    logs = (run.folder / "logs").rglob("events*")
    assert {path.parent.name for path in logs} == {"train", "validation"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_history(name, first_run):
    """The losses of each epoch, and the levels of PCA and of the floor."""
    run = first_run(name)
    (axes,) = run.figures["history.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    lines = {line.get_label().split(":")[0]: line for line in axes.lines}
    for label, values in run.history.history.items():
        assert list(lines[label].get_xdata()) == list(range(1, len(values) + 1))
        assert list(lines[label].get_ydata()) == values
    pca_imgs = run.pca_imgs.reshape(run.x_test.shape)
    level = lines["cross-entropy of PCA"].get_ydata()[0]
    assert level == pytest.approx(entropy(run.x_test, pca_imgs), abs=1e-4)
    floor = lines["floor"].get_ydata()[0]
    assert floor == pytest.approx(entropy(run.x_test, run.x_test), abs=1e-4)
    assert len({line.get_color() for line in axes.lines}) == 4
    texts = [text.get_text() for text in axes.get_legend().texts]
    assert f"floor: {floor:.4f}" in texts
    assert not (axes.get_xticks() % 1).any()  # epochs are whole numbers


@pytest.mark.parametrize("name", ["simple", "deep"])
def test_map_of_a_code_of_two(name, run_with_a_map):
    """Above are the codes, and below what is decoded from the grid over them."""
    run = run_with_a_map(name)
    assert not set(run.said) & set("\r\b\x1b")  # no bar of predict's
    upper, lower, pca_upper, pca_lower = run.figures["map.png"].axes
    assert upper.get_title() == "autoencoder: codes of two numbers"
    assert pca_upper.get_title() == "PCA: two components"
    below = lower.images[0].get_array()
    decoded = predict(run.decoder, common.map_grid(run.encoded_imgs)).reshape(256, 28, 28)
    np.testing.assert_allclose(below[:28, :28], decoded[0], atol=1e-4)
    np.testing.assert_allclose(below[:28, -28:], decoded[15], atol=1e-4)
    np.testing.assert_allclose(below[-28:, :28], decoded[240], atol=1e-4)
    pca_imgs = run.pca.inverse_transform(common.map_grid(run.pca_codes))
    pca_below = pca_lower.images[0].get_array()
    np.testing.assert_allclose(
        pca_below[-28:, -28:], pca_imgs[255].reshape(28, 28), atol=1e-3
    )


def test_map_is_drawn_by_rank(tmp_path):
    """A point stands at the share of smaller numbers; each label at its median."""
    codes = np.array([[0, 5], [1000, 6], [1, 7], [2, -8], [2, -8]], "float32")
    labels = np.array(["x", "x", "y", "z", "z"])  # any labels
    images = np.zeros((4, 784))
    common.plot_maps({"a title": codes}, {"a title": images}, labels, tmp_path / "map.png")
    upper, lower = plt.figure("map.png").axes
    assert upper.get_title() == "a title"
    assert upper.get_position().y0 > lower.get_position().y0
    points = [np.asarray(dots.get_offsets()) for dots in upper.collections]
    left_first = points[0][np.argsort(points[0][:, 0])]
    np.testing.assert_allclose(left_first, [[0.1, 0.5], [0.9, 0.7]])
    np.testing.assert_allclose(points[1], [[0.3, 0.9]])
    ties = points[2]  # spread out, each at a place of its own
    assert sorted(ties[:, 0]) == pytest.approx([0.5, 0.7])
    assert sorted(ties[:, 1]) == pytest.approx([0.1, 0.3])
    names = {text.get_text(): text.get_position() for text in upper.texts}
    assert names["x"] == pytest.approx((0.5, 0.6))
    assert names["z"] == pytest.approx((0.6, 0.2))
    assert lower.images[0].get_extent() == [0, 1, 0, 1]
    assert (upper.get_xlim(), upper.get_ylim()) == ((0, 1), (0, 1))


def test_equal_codes_are_spread_at_random(tmp_path):
    """Else digits that come in the order of their labels would seem to be told apart."""
    codes = np.zeros((200, 2))
    labels = np.repeat([0, 1], 100)
    common.plot_maps({"a": codes}, {"a": np.zeros((4, 784))}, labels, tmp_path / "map.png")
    first, second = plt.figure("map.png").axes[0].collections
    assert abs(first.get_offsets()[:, 0].mean() - 0.5) < 0.1
    assert abs(second.get_offsets()[:, 0].mean() - 0.5) < 0.1
    x, y = first.get_offsets().T
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.3  # and not along a line


def test_grid_of_a_map_is_at_equal_shares():
    codes = np.column_stack([np.arange(101.0) ** 2, np.arange(101.0)])
    grid = common.map_grid(codes, k=2)  # at a quarter and at three quarters
    expected = [[625, 75], [5625, 75], [625, 25], [5625, 25]]
    np.testing.assert_allclose(grid, expected)
    assert common.map_grid(codes).shape == (256, 2)


@pytest.mark.parametrize("name", SCRIPTS)
def test_windows_have_the_pictures_names_and_fit_a_laptop(name, first_run):
    run = first_run(name)
    own = {"simple": {"code.png"}, "deep": {"walk.png"}, "conv": {"layers.png"}}[name]
    assert set(run.shown) == {"reconstructions.png", "history.png"} | own
    for title in run.shown:
        width, height = run.figures[title].get_size_inches()
        dpi = run.figures[title].dpi
        assert width * dpi <= 1300
        assert height * dpi <= 620
        assert (run.folder / title).exists()
