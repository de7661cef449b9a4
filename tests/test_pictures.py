"""The pictures: what each shows."""

import common

import sysconfig

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
)
from matplotlib.image import imread

N = {"simple": 12, "deep": 10, "conv": 10}


@pytest.mark.parametrize("name", SCRIPTS)
def test_reconstructions(name, first_run):
    """The post's picture: digits, codes and reconstructions, in rows below each other."""
    run = first_run(name)
    rows = drawn_rows(run.figures["reconstructions.png"])
    assert list(rows) == ["original", "code", "reconstruction"]
    assert {len(images) for images in rows.values()} == {N[name]}
    assert_images(rows["original"], run.x_test.reshape(-1, 784))
    assert_images(rows["reconstruction"], run.decoded_imgs.reshape(-1, 784))


@pytest.mark.parametrize("name", SCRIPTS)
def test_pca(name, first_run):
    """PCA's images beside the network's."""
    run = first_run(name)
    size = run.encoded_imgs[0].size
    rows = drawn_rows(run.figures["pca.png"])
    assert list(rows) == ["original", "autoencoder", f"PCA {size}"]
    assert_images(rows["original"], run.x_test.reshape(-1, 784))
    assert_images(rows["autoencoder"], run.decoded_imgs.reshape(-1, 784))
    assert_images(rows[f"PCA {size}"], run.pca_imgs.reshape(-1, 784))


def test_codes_of_simple_are_images_of_4_x_4(first_run):
    run = first_run("simple")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    assert_images(drawn, by_largest(run.encoded_imgs[:12]).reshape(12, 4, 4))


def test_codes_of_deep(first_run):
    """32 numbers in a square of 6 x 6, of which four stay empty; 64 in one of 8 x 8."""
    run = first_run("deep")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    codes = by_largest(run.encoded_imgs[:10])
    for image, code in zip(drawn, codes, strict=True):
        np.testing.assert_allclose(image.ravel()[:32], code, atol=1e-5)
        assert np.isnan(image.ravel()[32:]).all()
        assert image.shape == (6, 6)


def test_second_split_of_deep(first_run):
    """One layer earlier: its code is that layer's values, and the images are the same."""
    run = first_run("deep")
    rows = drawn_rows(run.figures["second_split.png"])
    assert_images(rows["original"], run.x_test)
    layer = run.autoencoder.layers[2]
    values = predict(type(run.encoder)(run.autoencoder.input, layer.output), run.x_test[:10])
    assert_images(rows["code"], by_largest(values).reshape(10, 8, 8))
    assert_images(rows["reconstruction"], run.decoded_imgs)
    np.testing.assert_allclose(run.decoded_imgs2, run.decoded_imgs, atol=1e-5)


def test_codes_of_conv_are_maps(first_run):
    """Eight maps in a square of 3 x 3, with lines between them."""
    run = first_run("conv")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    codes = by_largest(run.encoded_imgs[:10])
    for image, maps in zip(drawn, codes, strict=True):
        assert image.shape == (14, 14)
        np.testing.assert_allclose(image[:4, 5:9], maps[:, :, 1], atol=1e-5)
        np.testing.assert_allclose(image[10:, 5:9], maps[:, :, 7], atol=1e-5)
        assert np.isnan(image[4]).all()
        assert np.isnan(image[10:, 10:]).all()


def test_colours_of_a_picture(tmp_path):
    """Rows of their own scale: 0 is black; red and blue where values go below 0."""
    digits = np.full((3, 28, 28), 0.5)
    codes = np.array([[0.0, 2.0]])
    rows = {"digits": digits, "code": codes, "signed": np.array([[-3.0, 1.0]])}
    for _ in range(2):  # the second one is not drawn over the first one
        common.plot_rows(rows, 2, tmp_path / "a.png", scaled=["code", "signed"])
    figure = plt.figure("a.png")
    images = [axes.images[0] for axes in figure.axes]
    assert [image.get_clim() for image in images] == [(0, 1), (0, 1), (0, 2), (-3, 3)]
    assert [image.get_cmap().name for image in images[1:]] == ["gray", "gray", "RdBu_r"]
    np.testing.assert_allclose(drawn_rows(figure)["digits"][1], 0.5)


def test_picture_as_it_is_seen(tmp_path):
    """The first row is above, a digit stands upright, with sharp pixels, labels and gaps."""
    digit = np.zeros((28, 28))
    digit[:14, :14] = 1  # the upper left
    rows = {"first": np.array([digit, digit]), "second": np.zeros((2, 28, 28))}
    common.plot_rows(rows, 2, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3].mean(axis=2)
    height = len(picture)
    assert height > 1.6 * 110  # two rows of 0.8 inches, sharp enough to be looked at
    black = (picture < 0.1).mean(axis=0) > 0.3  # of columns: those with images
    left = np.flatnonzero(black)[0]
    assert picture[height // 8, left + 3] > 0.9
    assert picture[height // 8 * 3, left + 3] < 0.1  # the lower part of the first row
    assert picture[height // 4 * 3, left + 3] < 0.1  # the second row
    assert picture[:, :left].min() < 0.5  # the labels
    right = picture[:, left:]
    assert ((right > 0.99).all(axis=0)).any()  # a gap between the two
    middle = picture[height // 8, left + 3 : left + 80]
    assert ((middle > 0.95) | (middle < 0.05)).mean() > 0.95  # pixels are not blurred


def test_a_reader_s_own_setting_holds(tmp_path):
    """As one sets SimHei, for Chinese labels, after the imports."""
    with plt.rc_context({"font.sans-serif": ["DejaVu Serif"]}):
        common.plot_rows({"a": np.zeros((1, 784))}, 1, tmp_path / "a.png")
        label = plt.figure("a.png").axes[0].yaxis.label
        assert label.get_fontname() == "DejaVu Serif"


def test_a_picture_that_cannot_be_written_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = tmp_path / "history.png"
    common.plot_history({"loss": [2, 1]}, "mse", 0, {}, path)
    before = path.read_bytes()

    def fail(self, target):
        raise OSError("the disk is full")

    monkeypatch.setattr(type(path), "replace", fail)
    with pytest.raises(OSError, match="full"):
        common.plot_history({"loss": [3, 1]}, "mse", 0, {}, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_what_each_number_of_the_code_does(first_run):
    """Decoded from the mean code with that number at its 95th and its 5th percentile."""
    run = first_run("simple")
    rows = drawn_rows(run.figures["each_number.png"])
    assert list(rows) == ["autoencoder", "PCA 16"]
    decoders = {
        "autoencoder": (run.encoded_imgs, lambda codes: predict(run.decoder, codes)),
        "PCA 16": (run.pca_codes, run.pca.inverse_transform),
    }
    for label, (codes, decode) in decoders.items():
        effects = []
        for i in range(16):
            ends = np.repeat(codes.mean(axis=0)[None], 2, axis=0)
            ends[:, i] = np.percentile(codes[:, i], [5, 95])
            small, large = decode(ends)
            effects.append(large - small)
        assert_images(rows[label], by_largest(np.array(effects)).reshape(16, 28, 28), atol=1e-4)


def test_mixing_codes_and_pixels(first_run):
    run = first_run("deep")
    codes, pixels, _ = drawn_rows(run.figures["interpolation.png"]).values()
    first = run.encoded_imgs[0]
    second = run.encoded_imgs[1]
    mixed = np.array([first + (second - first) * i / 9 for i in range(10)])
    assert_images(codes, predict(run.decoder, mixed))
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
    drawn = drawn_rows(run.figures["interpolation.png"])["random codes"]
    assert_images(drawn, predict(run.decoder, run.random_codes))


def test_random_codes_are_those_of_the_seed(first_run, few, tmp_path):
    first = first_run("deep").random_codes
    cells = Cells("deep", few, tmp_path)
    for name in ("encoded_imgs", "decoder", "x_test"):
        cells.variables[name] = getattr(first_run("deep"), name)
    cells.variables["n"] = 2
    cells.variables["folder"] = tmp_path
    cells.run("画图：插值")
    np.testing.assert_array_equal(cells.random_codes, first[:2])
    cells.args.seed = 1
    cells.run("画图：插值")
    assert np.abs(cells.random_codes - first[:2]).max() > 1e-3


def test_layers(first_run):
    """A row for each of the 14 layers, with its maps side by side."""
    run = first_run("conv")
    rows = drawn_rows(run.figures["layers.png"])
    labels = list(rows)
    drawn = list(rows.values())
    assert len(labels) == 14
    assert labels[6].endswith("\n(4, 4, 8)")
    assert [len(images) for images in drawn] == [1, 10, 10, 8, 8, 8, 8, 8, 8, 8, 8, 10, 10, 1]
    assert_images(drawn[0], by_largest(run.x_test[:1, :, :, 0]))
    assert_images(drawn[6], by_largest(np.moveaxis(run.encoded_imgs[0], 2, 0)))
    assert_images(drawn[13], by_largest(run.decoded_imgs[:1, :, :, 0]))


def test_model_and_logs(first_run, monkeypatch):
    """The network is drawn where there is no Graphviz, or a broken one."""
    run = first_run("conv")
    picture = imread(run.folder / "model.png")
    assert picture.shape[0] > 14 * 120  # 14 layers, with their shapes
    assert np.ptp(picture[..., :3]) == 1
    logs = (run.folder / "logs").rglob("events*")
    assert {path.parent.name for path in logs} == {"train", "validation"}
    before = (run.folder / "model.png").read_bytes()
    monkeypatch.setenv("PATH", "")
    common.plot_model(run.history.model, run.folder / "model.png")
    assert (run.folder / "model.png").read_bytes() == before
    # uv does not install the program beside Python's own scripts.
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: "nowhere")
    common.plot_model(run.history.model, run.folder / "model.png")
    assert (run.folder / "model.png").read_bytes() == before


@pytest.mark.parametrize("name", SCRIPTS)
def test_history(name, first_run):
    """The losses of each epoch, and the levels of PCA and of the lower bound."""
    run = first_run(name)
    (axes,) = run.figures["history.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    lines = {line.get_label().split(":")[0]: line for line in axes.lines}
    for label, values in run.history.history.items():
        assert list(lines[label].get_xdata()) == list(range(1, len(values) + 1))
        assert list(lines[label].get_ydata()) == values
    pca_imgs = run.pca_imgs.reshape(run.x_test.shape)
    level = lines[f"PCA {run.encoded_imgs[0].size}"].get_ydata()[0]
    assert level == pytest.approx(entropy(run.x_test, pca_imgs), abs=1e-4)
    bound = lines["lower bound"].get_ydata()[0]
    assert bound == pytest.approx(entropy(run.x_test, run.x_test), abs=1e-4)
    assert len({line.get_color() for line in axes.lines}) == 4
    texts = [text.get_text() for text in axes.get_legend().texts]
    assert f"lower bound: {bound:.4f}" in texts
    assert not (axes.get_xticks() % 1).any()  # epochs are whole numbers
    # No label is cut off at an edge, nor covers another.
    assert run.figures["history.png"].get_layout_engine() is not None


@pytest.mark.parametrize("name", ["simple", "deep"])
def test_map_of_a_code_of_two(name, map_cells):
    """Above are the codes, and below what is decoded from the grid over them."""
    run = map_cells(name)
    assert (run.folder / "map.png").exists()
    upper, lower, pca_upper, pca_lower = run.map_figure.axes
    assert (upper.get_title(), pca_upper.get_title()) == ("autoencoder", "PCA")
    for above, below in ((upper, lower), (pca_upper, pca_lower)):
        assert above.get_position().y0 > below.get_position().y1
        assert above.get_position().x0 == pytest.approx(below.get_position().x0, abs=0.05)
    for axes, codes in ((upper, run.encoded_imgs), (pca_upper, run.pca_codes)):
        points = np.concatenate([dots.get_offsets() for dots in axes.collections])
        # From left to right, the codes' first numbers never become smaller.
        by_label = [codes[run.y_test == label] for label in np.unique(run.y_test)]
        first_numbers = np.concatenate(by_label)[:, 0]
        order = np.argsort(points[:, 0])
        assert (np.diff(first_numbers[order]) >= 0).all()
    assert_grid(lower, predict(run.decoder, common.map_grid(run.encoded_imgs)))
    assert_grid(pca_lower, run.pca.inverse_transform(common.map_grid(run.pca_codes)))


def assert_grid(axes, images):
    """256 images are drawn in rows of 16, from the upper left."""
    drawn = axes.images[0].get_array()
    for i in (0, 15, 16, 240, 255):
        top = 28 * (i // 16)
        left = 28 * (i % 16)
        small = drawn[top : top + 28, left : left + 28]
        np.testing.assert_allclose(small, images[i].reshape(28, 28), atol=1e-3)


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
    for text, dots in zip(upper.texts, upper.collections, strict=True):
        assert text.get_color() == pytest.approx(dots.get_facecolor()[0])
        assert text.get_weight() == "bold"
    assert lower.images[0].get_extent() == [0, 1, 0, 1]
    assert lower.images[0].get_clim() == (0, 1)
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
    own = {"simple": {"each_number.png"}, "conv": {"layers.png"}}
    own["deep"] = {"second_split.png", "interpolation.png"}
    assert set(run.shown) == {"reconstructions.png", "pca.png", "history.png"} | own[name]
    for title in run.shown:
        width, height = run.figures[title].get_size_inches()
        dpi = run.figures[title].dpi
        assert width * dpi <= 1300
        assert height * dpi <= 620
        assert (run.folder / title).exists()
        assert f"Drawn: {run.folder / title}\n" in run.said
