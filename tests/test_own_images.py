"""Your own images: what my_images.py makes of a folder, and own_digit.py of a drawing."""

import common

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, assert_images, drawn_rows, run_script
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

pytestmark = pytest.mark.experiments

FOLDER = ROOT / "models" / "own_images"
sys.path.insert(0, str(FOLDER))
SCRIPT = FOLDER / "my_images.py"

import project

import drawing
import image_files

# An image of 40 x 30 pixels: its left half red, its right half blue.
RED_AND_BLUE = Image.new("RGB", (40, 30), "red")
RED_AND_BLUE.paste("blue", (20, 0, 40, 30))
RED = [255, 0, 0]
BLUE = [0, 0, 255]


# ---- A drawn digit --------------------------------------------------------------------------


def on_a_sheet(digit):
    """A digit on a larger image, not in its middle: how much ink is where, 0 to 255."""
    sheet = Image.new("L", (400, 300))
    sheet.paste(Image.fromarray((digit * 255).astype("uint8")).resize((180, 180)), (170, 20))
    return sheet


def dark_on_light(digit):
    return on_a_sheet(digit).point(lambda value: 255 - value)


def blue_on_paper(digit):
    sheet = Image.new("RGB", (400, 300), (250, 242, 224))
    sheet.paste((25, 38, 128), mask=on_a_sheet(digit))
    return sheet


def black_on_transparent(digit):
    image = Image.new("RGBA", (400, 300), "black")
    image.putalpha(on_a_sheet(digit))
    return image


def pale_pencil(digit):
    return on_a_sheet(digit).point(lambda value: 240 - value // 3)


@pytest.mark.parametrize(
    "draw", [on_a_sheet, dark_on_light, blue_on_paper, black_on_transparent, pale_pencil]
)
def test_digit_is_read_as_it_was(draw, tmp_path):
    (x_train, y_train), (x_test, y_test) = common.load_mnist()
    nearest = KNeighborsClassifier(1, algorithm="brute").fit(
        x_train[:4000].reshape(-1, 784), y_train[:4000]
    )
    known = np.flatnonzero(nearest.predict(x_test[1000:1100].reshape(-1, 784)) == y_test[1000:1100])
    originals = x_test[1000 + known[:8]]
    found = []
    for digit in originals:
        draw(digit).save(tmp_path / "mine.png")
        found.append(drawing.load_drawing(tmp_path / "mine.png"))
    assert found[0].dtype == np.float32
    assert (np.min(found), np.max(found)) == (0, 1)
    assert np.mean((np.array(found) - originals) ** 2) < 0.015  # that of an empty image is 0.1
    labels = nearest.predict(np.reshape(found, (-1, 784)))
    assert labels.tolist() == y_test[1000 + known[:8]].tolist()


def test_digit_is_scaled_and_centred_as_in_mnist(tmp_path):
    """20 pixels at its longer side, its proportions kept, the centre of mass in the middle."""
    image = np.full((300, 400), 255, "uint8")
    image[30:190, 50:60] = 0  # an upright line ...
    image[150:190, 50:130] = 0  # ... and a heavy foot: 160 x 80
    Image.fromarray(image).save(tmp_path / "mine.png")
    found = drawing.load_drawing(tmp_path / "mine.png")
    rows = np.flatnonzero(found.max(axis=1) > 0.5)
    columns = np.flatnonzero(found.max(axis=0) > 0.5)
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 == 10
    row, column = np.indices((28, 28))
    assert np.average(row, weights=found) == pytest.approx(14, abs=0.51)
    assert np.average(column, weights=found) == pytest.approx(14, abs=0.51)


@pytest.mark.parametrize(
    "colour", [(255, 255, 255, 255), (0, 0, 0, 255), (0, 0, 0, 0), (230, 230, 230, 255)]
)
def test_blank_page_has_no_digit(colour, tmp_path):
    page = Image.new("RGBA", (40, 30), colour)
    page.putpixel((3, 3), (min(255, colour[0] + 20),) * 3 + (colour[3],))  # a little noise
    page.save(tmp_path / "mine.png")
    with pytest.raises(ValueError, match=r"mine\.png.* no digit"):
        drawing.load_drawing(tmp_path / "mine.png")


def test_own_digit_draws_what_the_network_makes_of_it(few, tmp_path):
    _, (x_test, _) = common.load_mnist()
    dark_on_light(x_test[0]).save(tmp_path / "mine.png")
    script = FOLDER / "own_digit.py"
    words = [tmp_path / "mine.png", "--models", tmp_path]
    with pytest.raises(FileNotFoundError, match="encoder_config"):
        run_script(script, *words, folder=FOLDER)
    options = ["--epochs", "1", "--data", few, "--models", tmp_path]
    run_script(ROOT / "simple_autoencoder.py", *options)
    done = run_script(script, *words, folder=FOLDER)
    rows = drawn_rows(done.figures["mine_decoded.png"])
    assert_images(rows["yours"], done.x)
    assert_images(rows["reconstruction"], done.decoded_img)
    assert (tmp_path / "mine_decoded.png").exists()


# ---- Files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
@pytest.mark.parametrize("size", [(40, 30), (1600, 1200)])
def test_each_kind_of_file(size, ending, tmp_path):
    """The middle square is scaled; left is left."""
    path = tmp_path / f"image.{ending}"
    RED_AND_BLUE.resize(size).save(path, quality=95)
    read = image_files.read_image(path, 16, 3)
    assert (read.shape, read.dtype) == ((16, 16, 3), np.uint8)
    np.testing.assert_allclose(read[8, 2].astype(int), RED, atol=9)
    np.testing.assert_allclose(read[8, 13].astype(int), BLUE, atol=9)


def test_a_photograph_is_turned_as_the_camera_was_held(tmp_path):
    """As a camera saves what it took upright: on its side, and with a note to turn it right."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees, clockwise
    RED_AND_BLUE.rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif, quality=95)
    read = image_files.read_image(tmp_path / "a.jpg", 16, 3)
    np.testing.assert_allclose(read[8, 2].astype(int), RED, atol=9)


def test_transparent_images_are_laid_on_white(tmp_path):
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (image_files.read_image(tmp_path / "clear.png", 16, 3) == 255).all()
    Image.new("LA", (30, 30), (0, 128)).save(tmp_path / "half.png")
    assert image_files.read_image(tmp_path / "half.png", 16, 1).mean() == pytest.approx(127, abs=2)


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_sixteen_bits_are_scaled(ending, tmp_path):
    grey = np.linspace(0, 65535, 16 * 16).reshape(16, 16).astype("uint16")
    Image.fromarray(grey).save(tmp_path / f"deep.{ending}")
    read = image_files.read_image(tmp_path / f"deep.{ending}", 16, 1)[:, :, 0]
    np.testing.assert_allclose(read.astype(int), grey // 257, atol=1)


def save_many(folder, count, mode="RGB"):
    """Save images of one colour each, from dark to light."""
    folder.mkdir(parents=True)
    for i in range(count):
        image = Image.new("L", (20, 24), 4 * i).convert(mode)
        image.save(folder / f"{i:03}.png")


def test_a_folder_with_subfolders_and_a_broken_file(tmp_path, capsys):
    save_many(tmp_path / "photos" / "a", 30)
    save_many(tmp_path / "photos" / "b", 30)
    (tmp_path / "photos" / "a" / "003a.jpg").write_bytes(b"no image")
    whole = (tmp_path / "photos" / "a" / "007.png").read_bytes()
    (tmp_path / "photos" / "a" / "007.png").write_bytes(whole[:60])
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    names, channels = image_files.read_folder(tmp_path / "photos", 16, tmp_path / "images.npy")
    assert (len(names), channels) == (59, 3)
    assert (names[0], names[7], names[-1]) == ("a/000.png", "a/008.png", "b/029.png")
    array = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert array[7].mean() == 32
    assert array[58].mean() == 4 * 29
    said = capsys.readouterr().out
    assert re.search(r"(?m)^Left out, .*003a\.jpg", said)
    assert re.search(r"(?m)^Left out, .*007\.png", said)
    assert re.search(r"(?m)^Left out: 1 \.txt \(what is read: .*\.jpg.*\)$", said)


def test_grey_images_have_one_channel(tmp_path):
    save_many(tmp_path / "photos", 50, "L")
    image_files.read_folder(tmp_path / "photos", 16, tmp_path / "images.npy")
    assert np.load(tmp_path / "images.npy", mmap_mode="r").shape == (50, 16, 16, 1)
    RED_AND_BLUE.save(tmp_path / "photos" / "colours.png")
    image_files.read_folder(tmp_path / "photos", 16, tmp_path / "images.npy")
    assert np.load(tmp_path / "images.npy", mmap_mode="r").shape == (51, 16, 16, 3)


def test_too_few_images_and_no_folder(tmp_path):
    save_many(tmp_path / "photos", 49)
    with pytest.raises(ValueError, match=r"photos: 49 images .*50"):
        image_files.read_folder(tmp_path / "photos", 16, tmp_path / "images.npy")
    with pytest.raises(FileNotFoundError, match="tpyo"):
        image_files.read_folder(tmp_path / "tpyo", 16, tmp_path / "images.npy")


def test_batches(tmp_path):
    array = np.arange(10 * 4).reshape(10, 2, 2, 1).astype("uint8")
    np.save(tmp_path / "images.npy", array)
    batches = image_files.Batches(tmp_path / "images.npy", np.array([7, 2, 5]), 2)
    assert len(batches) == 2
    x, y = batches[0]
    np.testing.assert_array_equal(x, array[[7, 2]].astype("float32") / 255)
    np.testing.assert_array_equal(x, y)
    assert batches[1][0].shape == (1, 2, 2, 1)
    batches.on_epoch_end()
    assert batches.numbers.tolist() == [7, 2, 5]
    orders = []
    for _ in range(2):
        mixed = image_files.Batches(tmp_path / "images.npy", np.arange(10), 4, seed=1)
        mixed.on_epoch_end()
        first = mixed.numbers.tolist()
        mixed.on_epoch_end()
        orders.append((first, mixed.numbers.tolist()))
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]
    assert sorted(orders[0][0]) == list(range(10))


# ---- The program ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """The folder that sample_images.py makes, in a project of the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "PROJECT", tmp_path_factory.mktemp("project"))
        return run_script(FOLDER / "sample_images.py", folder=FOLDER).folder


def test_sample_images(samples):
    assert len(list(samples.glob("photographs/*/*.png"))) == 520
    assert len(list(samples.glob("digits/*.png"))) == 5000
    image = np.asarray(Image.open(samples / "digits" / "0000_5.png")).max(axis=2)
    (x_train, y_train), _ = common.load_mnist()
    assert y_train[0] == 5
    np.testing.assert_allclose(image / 255, x_train[0], atol=0.01)


@pytest.fixture(scope="module")
def mine(samples, tmp_path_factory):
    """What the script makes of 520 pieces of two photographs, which do not overlap."""
    models = tmp_path_factory.mktemp("models")
    words = [samples / "photographs", "--size", "27", "--encoding-dim", "32", "--models", models]
    return run_script(SCRIPT, *words, "--epochs", "25", folder=FOLDER)


def test_three_pictures_and_the_networks(mine):
    assert set(mine.shown) == {"reconstructions.png", "similar.png", "unusual.png"}
    for name in ["reconstructions.png", "similar.png", "unusual.png", "codes.npz"]:
        assert (mine.folder / name).exists()
    assert mine.decoder.output_shape == (None, 27, 27, 3)
    assert len(mine.held_out) == 52
    assert not set(mine.held_out) & set(mine.learnt)


def test_codes_and_errors_are_of_their_images(mine):
    with np.load(mine.folder / "codes.npz") as file:
        names = file["names"]
        codes = file["codes"]
        errors = file["errors"]
        held_out = file["held_out"]
    assert codes.shape == (520, 32)
    assert sorted(np.flatnonzero(held_out)) == sorted(mine.held_out)
    number = names.tolist().index("flower/064_096.png")
    path = Path(mine.args.folder) / "flower" / "064_096.png"
    x = image_files.read_image(path, 27, 3)[np.newaxis].astype("float32") / 255
    np.testing.assert_allclose(mine.encoder.predict(x, verbose=0)[0], codes[number], atol=1e-3)
    decoded = mine.autoencoder.predict(x, verbose=0)
    assert np.mean((decoded - x) ** 2) == pytest.approx(errors[number], rel=1e-2)


def test_it_learns_more_than_colours(mine):
    rows = re.findall(r"(?m)^(autoencoder|PCA|mean image|mean colour).* (\d\.\d+)$", mine.said)
    errors = {label: float(error) for label, error in rows}
    assert errors["autoencoder"] < 0.9 * errors["mean colour"]
    assert errors["mean colour"] < errors["mean image"]
    assert errors["autoencoder"] == pytest.approx(mine.errors[mine.held_out].mean(), rel=1e-2)


def test_unusual_images_have_the_largest_errors(mine):
    lines = re.findall(r"(?m)^  (\d\.\d+), (learnt|not learnt): (\d+), (\S+)$", mine.said)
    assert len(lines) == 10
    shown = [float(error) for error, _, _, _ in lines]
    for _, mark, number, name in lines:
        assert mine.names[int(number)] == name
        assert (mark == "not learnt") == (int(number) in mine.held_out)
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == pytest.approx(mine.errors.max(), abs=1e-4)
    above = np.mean(mine.errors[mine.held_out] > mine.limit)
    assert above == pytest.approx(0.05, abs=0.02)


def share_of_the_same_photograph(points, names):
    """How often the nearest other point is a patch of the same photograph."""
    photograph = np.array([name.split("/")[0] for name in names])
    nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(return_distance=False)
    return np.mean(photograph[nearest[:, 0]] == photograph)


def test_similar_images_are_similar(mine):
    """Codes find patches of the same photograph, more often than colours do."""
    colours = np.load(mine.file, mmap_mode="r").mean(axis=(1, 2))
    by_code = share_of_the_same_photograph(mine.codes, mine.names)
    assert by_code > 0.7
    assert by_code > share_of_the_same_photograph(colours, mine.names)


def test_encoder_is_loaded_without_this_project(mine):
    code = """
import sys
import keras
import numpy as np
encoder = keras.models.load_model(sys.argv[1])
np.save("code.npy", encoder.predict(np.ones((1, 27, 27, 3)), verbose=0))
assert "common" not in sys.modules
"""
    command = [sys.executable, "-c", code, mine.folder / "encoder.keras"]
    environment = dict(os.environ, PYTHONPATH="")
    subprocess.run(command, env=environment, cwd=mine.folder, check=True)
    expected = mine.encoder.predict(np.ones((1, 27, 27, 3)), verbose=0)
    np.testing.assert_allclose(np.load(mine.folder / "code.npy"), expected, rtol=1e-3, atol=1e-4)


def test_load_trains_nothing_and_go_on_trains_further(mine, samples):
    words = [samples / "photographs", "--models", mine.folder.parent, "--epochs", "1"]
    loaded = run_script(SCRIPT, *words, "--load", "--no-show", folder=FOLDER)  # not --size 64
    assert "Epoch" not in loaded.said
    assert not loaded.shown
    np.testing.assert_allclose(loaded.codes, mine.codes, atol=1e-3)
    assert loaded.held_out.tolist() == mine.held_out.tolist()
    further = run_script(SCRIPT, *words, "--go-on", "--no-show", folder=FOLDER)
    losses = [float(text) for text in re.findall(r"val_loss: (\d\.\d+)", mine.said)]
    (loss,) = re.findall(r"val_loss: (\d\.\d+)", further.said)
    assert float(loss) < (losses[0] + min(losses)) / 2
    kept = common.load_model("autoencoder", mine.folder)
    kept.compile(loss="binary_crossentropy")
    assert kept.evaluate(mine.validation_batches, verbose=0) <= min(losses) + 1e-4
    assert ("became no better" in further.said) == (further.loss_after >= further.loss_before)


@pytest.mark.parametrize("size", [16, 45])
def test_other_sizes_in_grey(size, tmp_path):
    save_many(tmp_path / "photos", 60, "L")
    words = [tmp_path / "photos", "--size", str(size), "--models", tmp_path, "--epochs", "1"]
    run = run_script(SCRIPT, *words, "--no-show", folder=FOLDER)
    assert run.autoencoder.output_shape == (None, size, size, 1)
    assert (run.folder / "similar.png").exists()
