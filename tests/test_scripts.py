"""The scripts as programs: that each is the post's network and learns, that every figure and
picture shows what it says, and that every option acts."""

import re
import sys

import keras
import numpy as np
import pytest
from conftest import EPOCHS, write_digits
from helpers import (
    PATHS,
    SCRIPTS,
    Cells,
    assert_images,
    drawn_rows,
    entropy,
    mse,
    predict,
    red_blue,
    rows_of,
    run_script,
    table,
)
from keras.layers import Conv2D, Dense, MaxPooling2D, UpSampling2D
from matplotlib.image import imread
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

# The mean digit's MSE is 0.068, that of an untrained network 0.23. Conv's first run, of 62
# updates alone, ends at 0.057, and at Keras's own rate of Adadelta at 0.23.
REACHED = {"simple": 0.055, "deep": 0.06, "conv": 0.061}
ADAM = {"simple": 0.001, "deep": 0.0015, "conv": 0.005}  # its rates
N = {"simple": 12, "deep": 10, "conv": 10}  # digits in a row
DEFAULTS = {
    "simple": {"epochs": 50, "batch-size": 256, "encoding-dim": 16, "l1": 0.0001},
    "deep": {"epochs": 50, "batch-size": 256, "encoding-dim": 32},
    "conv": {"epochs": 1, "batch-size": 128},
}

each_script = pytest.mark.parametrize("name", SCRIPTS)


# ---- The networks ---------------------------------------------------------------------------


def the_post_has(name):
    """The post's network of this name, with the weights that Keras gives it."""
    if name == "simple":
        layers = [keras.Input((784,)), Dense(16, "relu"), Dense(784, "sigmoid")]
    elif name == "deep":
        layers = [keras.Input((784,))]
        layers += [Dense(width, "relu") for width in (128, 64, 32, 64, 128)]
        layers += [Dense(784, "sigmoid")]
    else:
        same = {"padding": "same", "activation": "relu"}
        layers = [
            keras.Input((28, 28, 1)),
            Conv2D(16, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            MaxPooling2D(2, padding="same"),
            Conv2D(8, 3, **same),
            UpSampling2D(2),
            Conv2D(8, 3, **same),
            UpSampling2D(2),
            Conv2D(16, 3, activation="relu"),
            UpSampling2D(2),
            Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    return keras.Sequential(layers)


@each_script
def test_network_and_code_are_the_post_s(name, first_run):
    run = first_run(name)
    post = the_post_has(name)
    post.set_weights(run.autoencoder.get_weights())
    x = run.x_test[:100]
    np.testing.assert_allclose(predict(post, x), predict(run.autoencoder, x), atol=1e-5)
    shapes = {"simple": (16,), "deep": (32,), "conv": (4, 4, 8)}
    assert run.encoded_imgs.shape[1:] == shapes[name]
    assert run.encoded_imgs.min() == 0


@each_script
def test_it_learns_mnist_s_digits(name, first_run, mnist):
    run = first_run(name)
    (x_train, y_train), (x_test, y_test) = mnist
    np.testing.assert_array_equal(run.x_train.reshape(-1, 28, 28), x_train[:4000])
    np.testing.assert_array_equal(run.x_test.reshape(-1, 28, 28), x_test[:1100])
    np.testing.assert_array_equal(run.y_train, y_train[:4000])
    np.testing.assert_array_equal(run.y_test, y_test[:1100])
    mean_digit = run.x_train.mean(axis=0)
    assert mse(run.x_test, run.decoded_imgs) < REACHED[name] < mse(run.x_test, mean_digit)
    assert run.said.startswith(f"{run.x_train.shape} {run.x_test.shape}\n")


@each_script
def test_validation_loss_is_that_of_the_test_digits(name, first_run):
    """Of those alone, by the cross-entropy's definition and the penalty's, which is said."""
    run = first_run(name)
    loss = entropy(run.x_test, run.decoded_imgs)
    if name == "simple":
        zeros, penalty = re.search(
            r"\nzeros in the codes: (\S+)%, penalty: (\S+)\n", run.said
        ).groups()
        assert float(zeros) == pytest.approx(100 * np.mean(run.encoded_imgs == 0), abs=0.06)
        assert 0 < float(zeros) < 100
        assert float(penalty) == pytest.approx(
            0.0001 * run.encoded_imgs.sum(axis=1).mean(), abs=6e-5
        )
        loss += float(penalty)
    losses = run.autoencoder.history.history
    assert len(losses["val_loss"]) == EPOCHS[name]
    assert losses["val_loss"][-1] == pytest.approx(loss, abs=2e-4)
    assert f"- val_loss: {losses['val_loss'][-1]:.4f}\n" in run.said
    # The training loss is of the training digits: close, as all of them are learnt.
    assert losses["loss"][-1] == pytest.approx(loss, rel=0.15)


@each_script
def test_what_is_loaded_is_what_was_trained(name, first_run):
    """Bit for bit; the codes and images are the loaded parts'; and their difference is said."""
    run = first_run(name)
    learnt = run.autoencoder.get_weights()
    parts = run.loaded_encoder.get_weights() + run.loaded_decoder.get_weights()
    for weights in (run.loaded_autoencoder.get_weights(), parts):
        for array, learnt_array in zip(weights, learnt, strict=True):
            assert array.tobytes() == learnt_array.tobytes()
    codes = predict(run.loaded_encoder, run.x_test)
    np.testing.assert_allclose(run.encoded_imgs, codes, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(run.decoded_imgs, predict(run.autoencoder, run.x_test), atol=1e-5)
    assert differences(run.said)[0] < 1e-4
    assert run.said.count("Total params") == 1
    assert f"Total params: {run.autoencoder.count_params():,} " in run.said


def differences(said):
    """The differences that a run printed, after loading and of the second split."""
    return [float(text) for text in re.findall(r"(?m)^images .* differ by (\S+) \(rounding", said)]


# ---- The table ------------------------------------------------------------------------------


def assert_row(row, run, codes_train, codes, images):
    """A row of the table is what these codes and images give."""
    size = codes[0].size
    error = mse(run.x_test, images.reshape(run.x_test.shape))
    assert row.code == size
    assert row.compression == pytest.approx(784 / size, abs=0.051)
    assert row.entropy == pytest.approx(
        entropy(run.x_test, images.reshape(run.x_test.shape)), abs=2e-4
    )
    assert row.mse == pytest.approx(error, abs=2e-5)
    assert row.psnr == pytest.approx(-10 * np.log10(error), abs=0.02)
    nearest = KNeighborsClassifier(n_neighbors=1)
    nearest.fit(codes_train.reshape(4000, -1), run.y_train)
    share = 100 * nearest.score(codes.reshape(1100, -1), run.y_test)
    assert row.accuracy == pytest.approx(share, abs=0.11)
    assert share > 50


def assert_row_of_pca(row, run, size):
    """A row of the table is that of PCA, clipped to 0 ... 1."""
    x_train = run.x_train.reshape(4000, 784)
    x_test = run.x_test.reshape(1100, 784)
    pca = PCA(size, random_state=0).fit(x_train)
    codes = pca.transform(x_test)
    images = pca.inverse_transform(codes)
    assert images.min() < -0.1
    assert_row(row, run, pca.transform(x_train), codes, np.clip(images, 0, 1))


@each_script
def test_rows_of_the_table(name, first_run):
    run = first_run(name)
    rows = table(run.said)
    first = {"simple": "autoencoder", "deep": "middle: 32", "conv": "autoencoder"}[name]
    size = run.encoded_imgs[0].size
    assert list(rows)[:2] == [first, f"PCA {size}"]
    codes_train = predict(run.encoder, run.x_train)
    assert_row(rows[first], run, codes_train, run.encoded_imgs, run.decoded_imgs)
    assert_row_of_pca(rows[f"PCA {size}"], run, size)
    if name == "deep":
        assert list(rows)[2:] == ["second split: 64", "PCA 64"]
        codes_train = predict(run.encoder2, run.x_train)
        assert_row(rows["second split: 64"], run, codes_train, run.encoded_imgs2, run.decoded_imgs2)
        assert_row_of_pca(rows["PCA 64"], run, 64)


@each_script
def test_head_and_lower_bound(name, first_run):
    """The columns stand above their figures; perfect images have the lower bound."""
    run = first_run(name)
    lines = run.said.splitlines()
    (head,) = [line for line in lines if line.startswith("1,100 test digits  ")]
    row = lines[lines.index(head) + 1]
    (bound,) = [line for line in lines if line.startswith("lower bound")]
    for title in ("code", "cross-entropy", "MSE", "1-NN accuracy"):
        end = head.index(title) + len(title)
        assert row[:end].split()[-1] == row[: end + 1].split()[-1], title
    assert float(bound.split()[-1]) == pytest.approx(entropy(run.x_test, run.x_test), abs=6e-5)
    assert len(bound) == head.index("cross-entropy") + len("cross-entropy")


@each_script
def test_table_has_what_the_cells_have(name, first_run, npz, tmp_path):
    """Who changes the codes or the images in a cell sees the table change."""
    run = first_run(name)
    cells = Cells(name, npz, tmp_path)
    cells.variables.update(vars(run))
    cells.variables["decoded_imgs"] = run.x_test - 0.1
    cells.variables["encoded_imgs"] = 0 * run.encoded_imgs
    cells.run("表格")
    row = rows_of(cells.output.getvalue())[0]
    assert row.mse == pytest.approx(0.01)
    assert row.accuracy == pytest.approx(10, abs=5)  # all codes are the same


# ---- The pictures ---------------------------------------------------------------------------


def assert_error_is_said(label, run, images):
    """The label ends with the mean squared error of all test images."""
    assert label.endswith(f"\nMSE {mse(run.x_test, images):.4f}")


@each_script
def test_reconstructions_and_pca(name, first_run):
    """Digits, codes and reconstructions, in rows below each other; and those of PCA."""
    run = first_run(name)
    rows = drawn_rows(run.figures["reconstructions.png"])
    original, code, reconstruction = rows
    assert (original, code) == ("original", "code")
    assert_error_is_said(reconstruction, run, run.decoded_imgs)
    assert reconstruction.startswith("reconstruction")
    assert {len(images) for images in rows.values()} == {N[name]}
    assert_images(rows["original"], run.x_test.reshape(-1, 784))
    assert_images(rows[reconstruction], run.decoded_imgs.reshape(-1, 784))

    rows = drawn_rows(run.figures["pca.png"])
    original, network, pca = rows
    assert network.startswith("autoencoder\n")
    assert_error_is_said(network, run, run.decoded_imgs)
    assert pca.startswith(f"PCA {run.encoded_imgs[0].size}\n")
    assert_error_is_said(pca, run, run.pca_imgs)
    assert_images(rows["original"], run.x_test.reshape(-1, 784))
    assert_images(rows[network], run.decoded_imgs.reshape(-1, 784))
    assert_images(rows[pca], run.pca_imgs.reshape(-1, 784))


def test_codes_are_drawn_as_squares(first_run):
    """16 numbers as 4 x 4; 32 in 6 x 6, of which four stay empty; 8 maps in 3 x 3, with lines."""
    run = first_run("simple")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    assert_images(drawn, red_blue(run.encoded_imgs[:12]).reshape(12, 4, 4))

    run = first_run("deep")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    for image, code in zip(drawn, red_blue(run.encoded_imgs[:10]), strict=True):
        assert image.shape == (6, 6)
        np.testing.assert_allclose(image.ravel()[:32], code, atol=1e-5)
        assert np.isnan(image.ravel()[32:]).all()

    run = first_run("conv")
    drawn = drawn_rows(run.figures["reconstructions.png"])["code"]
    for image, maps in zip(drawn, red_blue(run.encoded_imgs[:10]), strict=True):
        assert image.shape == (14, 14)
        np.testing.assert_allclose(image[:4, 5:9], maps[:, :, 1], atol=1e-5)
        np.testing.assert_allclose(image[10:, 5:9], maps[:, :, 7], atol=1e-5)
        assert np.isnan(image[4]).all()
        assert np.isnan(image[10:, 10:]).all()


def test_second_split_of_deep(first_run):
    """One layer earlier: its code is that layer's values, and the images are the same."""
    run = first_run("deep")
    rows = drawn_rows(run.figures["second_split.png"])
    assert_images(rows["original"], run.x_test)
    layer = run.autoencoder.layers[2]
    values = predict(keras.Model(run.autoencoder.input, layer.output), run.x_test[:10])
    assert_images(rows["code"], red_blue(values).reshape(10, 8, 8))
    assert_images(rows["reconstruction"], run.decoded_imgs)
    np.testing.assert_allclose(run.decoded_imgs2, run.decoded_imgs, atol=1e-5)
    assert differences(run.said)[1] < 1e-4


def test_what_each_number_of_the_code_does(first_run):
    """Decoded from the mean code with that number at its 95th and its 5th percentile."""
    run = first_run("simple")
    ((label, images),) = drawn_rows(run.figures["each_number.png"]).items()
    assert label == "red: brighter\nblue: darker"
    effects = []
    for i in range(16):
        ends = np.repeat(run.encoded_imgs.mean(axis=0)[None], 2, axis=0)
        ends[:, i] = np.percentile(run.encoded_imgs[:, i], [5, 95])
        small, large = predict(run.decoder, ends)
        effects.append(large - small)
    assert_images(images, red_blue(np.array(effects)).reshape(16, 28, 28), atol=1e-4)


def test_between_two_digits_and_random_codes(first_run):
    """Each number of a random code is one that a real code has in its place."""
    run = first_run("deep")
    codes, pixels, random = drawn_rows(run.figures["interpolation.png"]).values()
    first = run.encoded_imgs[0]
    second = run.encoded_imgs[1]
    mixed = np.array([first + (second - first) * i / 9 for i in range(10)])
    assert_images(codes, predict(run.decoder, mixed))
    x = run.x_test
    assert_images(pixels, np.array([x[0] * (9 - i) / 9 + x[1] * i / 9 for i in range(10)]))
    assert run.random_codes.shape == (10, 32)
    for place in range(32):
        numbers = set(run.encoded_imgs[:, place].tolist())
        assert set(run.random_codes[:, place].tolist()) <= numbers
    real_codes = {code.tobytes() for code in run.encoded_imgs}
    assert not {code.tobytes() for code in run.random_codes} & real_codes
    assert_images(random, predict(run.decoder, run.random_codes))


def test_random_codes_are_those_of_the_seed(first_run, few, tmp_path):
    run = first_run("deep")
    cells = Cells("deep", few, tmp_path)
    cells.variables.update(encoded_imgs=run.encoded_imgs, x_test=run.x_test, folder=tmp_path)
    cells.variables.update(loaded_decoder=run.loaded_decoder, n=2)
    for seed in (0, 1):
        cells.args.seed = seed
        cells.run("画图：插值")
        same = np.array_equal(cells.random_codes[:, 0], run.random_codes[:2, 0])
        assert same == (seed == 0)


def test_layers_model_and_logs(first_run, monkeypatch):
    """A row for the digit and for each layer, with its maps side by side."""
    run = first_run("conv")
    rows = drawn_rows(run.figures["layers.png"])
    labels = list(rows)
    drawn = list(rows.values())
    assert [len(images) for images in drawn] == [1, 10, 10, 8, 8, 8, 8, 8, 8, 8, 8, 10, 10, 1]
    assert labels[0] == "original"
    assert re.fullmatch(r"max_pooling2d_\d+\n\(4, 4, 8\)", labels[6])
    assert_images(drawn[0], run.x_test[:1, :, :, 0])
    assert_images(drawn[6], red_blue(np.moveaxis(run.encoded_imgs[0], 2, 0)))
    assert_images(drawn[13], red_blue(run.decoded_imgs[:1, :, :, 0]))
    picture = imread(run.folder / "model.png")
    assert picture.shape[0] > 14 * 120  # 14 layers, with their shapes
    assert np.ptp(picture[..., :3]) == 1
    logs = (run.folder / "logs").rglob("events*")
    assert {path.parent.name for path in logs} == {"train", "validation"}


@each_script
def test_history(name, first_run):
    """The losses of each epoch, which are whole numbers."""
    run = first_run(name)
    (axes,) = run.figures["history.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {text.get_text() for text in axes.get_legend().texts}
    assert set(lines) == {"loss", "val_loss"}
    for label, values in run.autoencoder.history.history.items():
        assert list(lines[label].get_xdata()) == list(range(1, len(values) + 1))
        assert list(lines[label].get_ydata()) == values
    assert not (axes.get_xticks() % 1).any()


@each_script
def test_each_picture_is_saved_shown_and_said(name, first_run):
    run = first_run(name)
    drawn = re.findall(r"(?m)^Drawn: (.*)$", run.said)
    assert {str(run.folder / label) for label in run.shown} | {
        str(path) for path in run.folder.glob("*.png")
    } == set(drawn)
    assert len(run.shown) == {"simple": 4, "deep": 5, "conv": 4}[name]


# ---- The options ----------------------------------------------------------------------------


@each_script
def test_help_says_the_network_the_command_and_the_defaults(name):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setenv("COLUMNS", "1000")  # so that no path is broken in two
        run_script(PATHS[name], "--help")
    said = " ".join(caught.value.said.split())
    for line in PATHS[name].read_text(encoding="utf-8").split('"""')[1].splitlines():
        assert line.strip() in said
    for option, default in DEFAULTS[name].items():
        assert re.search(rf"--{option} [A-Z0-9_]+ [^-]+·[^-]+ \({default}\)", said), option
    assert "(adadelta)" in said
    assert f"({PATHS[name].parent / 'models'})" in said
    for option in ("--optimizer", "--seed", "--data", "--models", "--load", "--no-show"):
        assert re.search(rf" {option} [^-]*·", said), option


@each_script
def test_defaults(name, few, tmp_path):
    """In cells, whose program, pytest here, is another one with words of its own."""
    args = Cells(name, few, tmp_path).args
    for option, default in DEFAULTS[name].items():
        if option != "epochs":
            assert getattr(args, option.replace("-", "_")) == default
    assert (args.load, args.seed, args.optimizer) == (False, 0, "adadelta")


@each_script
def test_a_training_prints_its_options(name, first_run):
    said = first_run(name).said
    options = f"\n{first_run(name).args}\n"
    assert said.index(options) < said.index("Epoch 1/")


@pytest.mark.parametrize("option", ["--epochs=many", "--l1=strong", "--seed=x", "--tpyo=1"])
def test_bad_value_is_refused_at_once(option, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2") as caught:
        run_script(PATHS["simple"], "--models", tmp_path / "models", option)
    assert not caught.value.said
    assert option.split("=")[0] in capsys.readouterr().err.splitlines()[-1]


@each_script
def test_optimizers(name, few, tmp_path):
    """Any of Keras's, however it is spelt, at the rate of the post, the script, or Keras."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据", "建立网络")
    rates = {"adadelta": 1.0, "Adadelta": 1.0, "adam": ADAM[name], "Adam": ADAM[name]}
    rates.update({"sgd": 0.01, "AdamW": 0.001})
    for spelt, rate in rates.items():
        cells.args.optimizer = spelt
        cells.run("编译")
        optimizer = cells.autoencoder.optimizer
        assert type(optimizer).__name__.lower() == spelt.lower()
        assert float(optimizer.learning_rate) == pytest.approx(rate)
    cells.args.optimizer = keras.optimizers.Adadelta(0.5)
    cells.run("编译")
    assert float(cells.autoencoder.optimizer.learning_rate) == 0.5
    cells.args.optimizer = "tpyo"
    with pytest.raises(ValueError, match="tpyo"):
        cells.run("编译")


@pytest.fixture(scope="session")
def sorted_digits(npz):
    """A file with zeros and then ones."""
    with np.load(npz) as file:
        arrays = dict(file)
    for part, n in (("train", 400), ("test", 80)):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        order = np.concatenate([np.flatnonzero(y == 0)[:n], np.flatnonzero(y == 1)[:n]])
        arrays[f"x_{part}"] = x[order]
        arrays[f"y_{part}"] = y[order]
    np.savez(npz.with_name("sorted.npz"), **arrays)
    return npz.with_name("sorted.npz")


@each_script
def test_epochs_batch_size_and_shuffling(name, sorted_digits, tmp_path):
    """In the order of the file, first all zeros and then all ones, little is learnt."""
    cells = Cells(name, sorted_digits, tmp_path)
    cells.args.optimizer = keras.optimizers.Adam(0.005)
    cells.args.batch_size = 40
    cells.args.epochs = 2
    cells.run("加载数据", "建立网络", "编译", "训练")
    assert int(cells.autoencoder.optimizer.iterations) == 2 * 20
    assert mse(cells.x_test, predict(cells.autoencoder, cells.x_test)) < 0.05


def test_penalty_is_l1_on_the_code(few, tmp_path):
    """Keras's loss holds --l1 times the sum of a code's magnitudes."""
    cells = Cells("simple", few, tmp_path)
    cells.args.l1 = 0.01
    cells.run("加载数据", "建立网络", "编译")
    penalty = 0.01 * np.abs(predict(cells.encoder, cells.x_test)).sum(axis=1).mean()
    loss = entropy(cells.x_test, predict(cells.autoencoder, cells.x_test))
    assert penalty > 0.01
    total = cells.autoencoder.evaluate(cells.x_test, cells.x_test, verbose=0)
    assert total == pytest.approx(loss + penalty, rel=1e-3)


def test_seed_repeats_a_training(few, tmp_path):
    """Bit for bit."""
    cells = Cells("simple", few, tmp_path)
    cells.args.epochs = 2
    cells.run("加载数据")
    trained = []
    for _ in range(2):
        cells.run("建立网络", "编译", "训练")
        trained.append([x.tobytes() for x in cells.autoencoder.get_weights()])
    assert trained[0] == trained[1]


@each_script
def test_seed_in_a_cell(name, few, tmp_path):
    """It counts when it is changed after the first cell; and the cell can be run again."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据")
    weights = []
    for seed in (0, 0, 1):
        cells.args.seed = seed
        cells.run("建立网络")
        weights.append(cells.autoencoder.get_weights()[0].tobytes())
    assert weights[0] == weights[1] != weights[2]


@each_script
def test_scripts_use_what_makes_them_fast(name, few, tmp_path):
    """Many steps in one go; and XLA, where it pays."""
    cells = Cells(name, few, tmp_path)
    cells.run("加载数据", "建立网络")
    for epochs in (9, 10):
        cells.args.epochs = epochs
        cells.run("编译")
        assert cells.autoencoder.steps_per_execution == 47
        expected = epochs == 10 and name != "conv" and sys.platform != "win32"
        assert cells.autoencoder.jit_compile is expected


def test_load_without_a_run(few, tmp_path):
    words = ["--load", "--data", few, "--models", tmp_path / "tpyo"]
    with pytest.raises(FileNotFoundError, match=r"autoencoder_config\.pkl"):
        run_script(PATHS["simple"], *words)


def test_folder_that_is_none(few, tmp_path):
    """It is found out before the training."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as caught:
        run_script(PATHS["simple"], "--data", few, "--models", tmp_path / "file")
    assert "Epoch" not in caught.value.said


@each_script
def test_training_alone_shows_a_bar(name, first_run):
    """As `predict` would print one, too."""
    said = first_run(name).said
    after = said.split("val_loss")[-1]
    assert after != said
    assert not set(after) & set("\r\b\x1b")


def test_data_is_another_file(tmp_path, npz):
    path = write_digits(tmp_path / "own.npz", 130, 10)
    cells = Cells("simple", path, tmp_path)
    cells.run("加载数据")
    assert (cells.x_train.shape, cells.x_test.shape) == ((130, 784), (10, 784))
