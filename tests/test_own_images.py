"""Your own images: what my_images.py makes of a folder, and own_digit.py of a drawing."""

import common

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import ROOT, assert_images, drawn_rows, run_script
from PIL import Image
from sklearn.decomposition import PCA
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
    assert done.shown == ["mine_decoded.png"]
    rows = drawn_rows(done.figures["mine_decoded.png"])
    assert_images(rows["yours"], done.x)
    assert_images(rows["reconstruction"], done.decoded_img)
    assert (tmp_path / "mine_decoded.png").exists()


# ---- Files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "jpg", "jfif", "gif", "bmp", "tiff", "webp"])
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


@pytest.mark.parametrize(("kind", "largest"), [("uint16", 4095), ("float32", 1), ("float32", 255)])
def test_depth_is_that_of_the_values(kind, largest, tmp_path):
    """12 bits in 16, as of scanners, and real numbers, as of microscopes."""
    grey = np.linspace(0, largest, 16 * 16).reshape(16, 16).astype(kind)
    Image.fromarray(grey).save(tmp_path / "a.tiff")
    read = image_files.read_image(tmp_path / "a.tiff", 16, 1)[:, :, 0]
    expected = np.linspace(0, 255, 16 * 16).reshape(16, 16)
    np.testing.assert_allclose(read.astype(int), expected, atol=1)


def save_many(folder, count, mode="RGB"):
    """Save images of one colour each, from dark to light."""
    folder.mkdir(parents=True)
    for i in range(count):
        image = Image.new("L", (20, 24), 4 * i).convert(mode)
        image.save(folder / f"{i:03}.png")


def test_a_folder_with_subfolders_and_broken_files(tmp_path, capsys):
    photos = tmp_path / "photos"
    save_many(photos / "a", 30)
    save_many(photos / "b", 30)
    save_many(photos / "out", 3)  # what the program writes
    (photos / "a" / "003a.jpg").write_bytes(b"no image")
    whole = (photos / "a" / "007.png").read_bytes()
    (photos / "a" / "007.png").write_bytes(whole[:60])
    (photos / "notes.txt").write_text("no image")
    (photos / "phone.heic").write_text("an image")
    paths = image_files.find_images(photos, left_out=photos / "out")
    assert image_files.count_channels(paths) == 3
    images, read, hashes = image_files.read_images(paths, 16, 3)
    names = [path.relative_to(photos).as_posix() for path in read]
    assert (images.shape, len(names), len(set(hashes))) == ((59, 16, 16, 3), 59, 30)
    assert (names[0], names[7], names[-1]) == ("a/000.png", "a/008.png", "b/029.png")
    assert images[7].mean() == 32
    assert images[58].mean() == 4 * 29
    said = capsys.readouterr().out
    assert re.search(r"(?m)Left out, .*003a\.jpg", said)
    assert re.search(r"(?m)Left out, .*007\.png", said)
    assert re.search(r"(?m)Left out, .*: 1 \.txt, 1 \.heic$", said)
    assert re.search(r"(?m)^HEIC: .*JPEG", said)


def test_grey_images_have_one_channel(tmp_path):
    save_many(tmp_path / "photos", 3, "L")
    paths = sorted((tmp_path / "photos").iterdir())
    assert image_files.count_channels(paths) == 1
    RED_AND_BLUE.save(tmp_path / "photos" / "colours.png")
    assert image_files.count_channels([*paths, tmp_path / "photos" / "colours.png"]) == 3


def test_too_few_images_and_no_folder(tmp_path):
    save_many(tmp_path / "photos", 49)
    paths = image_files.find_images(tmp_path / "photos", left_out=tmp_path / "out")
    with pytest.raises(ValueError, match=r"49 images; 50"):
        image_files.read_images(paths, 16, 3)
    with pytest.raises(FileNotFoundError, match="tpyo"):
        image_files.find_images(tmp_path / "tpyo", left_out=tmp_path)
    with pytest.raises(NotADirectoryError, match="not a folder"):
        image_files.find_images(tmp_path / "photos" / "000.png", left_out=tmp_path / "out")


def test_images_are_read_again_only_if_they_changed(tmp_path, monkeypatch):
    save_many(tmp_path / "photos", 50)
    paths = sorted((tmp_path / "photos").iterdir())
    file = tmp_path / "images.npz"
    first = image_files.read_images_once(paths, 16, 3, file)
    image_files.save_arrays(file, **first)
    with monkeypatch.context() as patch:
        patch.setattr(image_files, "read_images", None)  # it would fail
        again = image_files.read_images_once(paths, 16, 3, file)
    np.testing.assert_array_equal(again["images"], first["images"])
    assert again["hashes"].tolist() == first["hashes"]
    RED_AND_BLUE.save(paths[3])
    changed = image_files.read_images_once(paths, 16, 3, file)
    assert (changed["images"][3] != first["images"][3]).any()
    assert image_files.read_images_once(paths, 20, 3, file)["images"].shape[1] == 20


def test_batches():
    images = np.arange(10 * 4).reshape(10, 2, 2, 1).astype("uint8")
    batches = image_files.Batches(images, np.array([7, 2, 5]), 2)
    assert len(batches) == 2
    x, y = batches[0]
    np.testing.assert_array_equal(x, images[[7, 2]].astype("float32") / 255)
    np.testing.assert_array_equal(x, y)
    assert batches[1][0].shape == (1, 2, 2, 1)
    batches.on_epoch_end()
    assert batches.numbers.tolist() == [7, 2, 5]
    orders = []
    for _ in range(2):
        mixed = image_files.Batches(images, np.arange(10), 4, seed=1)
        mixed.on_epoch_end()
        first = mixed.numbers.tolist()
        mixed.on_epoch_end()
        orders.append((first, mixed.numbers.tolist()))
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]
    assert sorted(orders[0][0]) == list(range(10))


def test_half_of_the_images_are_mirrored():
    """Left and right change places, above and below do not; input and target alike."""
    image = np.array([[0, 51], [102, 255]], "uint8").reshape(1, 2, 2, 1)
    batches = image_files.Batches(np.repeat(image, 200, axis=0), np.arange(200), 200, 0, flips=True)
    x, y = batches[0]
    np.testing.assert_array_equal(x, y)
    mirrored = (x[:, :, ::-1] == image.astype("float32") / 255).all(axis=(1, 2, 3))
    same = (x == image.astype("float32") / 255).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 60 < mirrored.sum() < 140


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


def test_pictures_and_the_networks(mine):
    pictures = {"reconstructions.png", "similar.png", "map.png", "unusual.png"}
    assert set(mine.shown) == pictures
    for name in [*pictures, "codes.npz", "errors.csv", "encoder.keras"]:
        assert (mine.folder / name).exists()
    assert mine.decoder.output_shape == (None, 27, 27, 3)
    assert len(mine.held_out) == 52
    assert not set(mine.held_out) & set(mine.learnt)
    assert len(mine.learnt) == 468


def test_codes_and_errors_are_of_their_images(mine):
    with np.load(mine.folder / "codes.npz") as file:
        names = file["names"]
        codes = file["codes"]
        errors = file["errors"]
        kinds = file["kinds"]
    assert codes.shape == (520, 32)
    assert np.flatnonzero(kinds == "held out").tolist() == mine.held_out.tolist()
    number = names.tolist().index("flower/064_096.png")
    path = Path(mine.args.folder) / "flower" / "064_096.png"
    x = image_files.read_image(path, 27, 3)[np.newaxis].astype("float32") / 255
    np.testing.assert_allclose(mine.encoder.predict(x, verbose=0)[0], codes[number], atol=1e-3)
    decoded = mine.autoencoder.predict(x, verbose=0)
    assert np.mean((decoded - x) ** 2) == pytest.approx(errors[number], rel=1e-2)
    text = (mine.folder / "errors.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfname,error,kind\r\n")  # with its mark, for Excel
    row = f"flower/064_096.png,{errors[number]:.6f},{kinds[number]}\r\n"
    assert row in text.decode("utf-8-sig")


def errors_of(said):
    """The errors in the table, by the beginnings of their labels."""
    rows = re.findall(r"(?m)^(autoencoder|PCA|mean image|mean colour).* (\d\.\d+)$", said)
    return {label: float(error) for label, error in rows}


def test_the_table_and_the_words_below_it(mine):
    errors = errors_of(mine.said)
    x = mine.images / 255
    others = x[mine.held_out].reshape(52, -1)
    assert errors["autoencoder"] == pytest.approx(mine.errors[mine.held_out].mean(), rel=1e-2)
    pca = PCA(32, random_state=0).fit(x[mine.learnt].reshape(468, -1))
    images = pca.inverse_transform(pca.transform(others)).clip(0, 1)
    assert errors["PCA"] == pytest.approx(np.mean((images - others) ** 2), rel=0.05)
    mean_image = x[mine.learnt].mean(axis=0).ravel()
    assert errors["mean image"] == pytest.approx(np.mean((mean_image - others) ** 2), rel=1e-2)
    colours = x[mine.held_out].mean(axis=(1, 2), keepdims=True)
    expected = np.mean((x[mine.held_out] - colours) ** 2)
    assert errors["mean colour"] == pytest.approx(expected, rel=1e-2)
    assert errors["autoencoder"] < 0.9 * errors["mean colour"]
    words = mine.said.splitlines()[-1]
    assert ("better than PCA" in words) == (errors["autoencoder"] <= errors["PCA"])
    assert ("PCA is better" in words) == (errors["autoencoder"] > errors["PCA"])


def test_unusual_images_have_the_largest_errors(mine):
    last = mine.said.split("The ten largest errors:\n")[1]
    lines = re.findall(r"(?m)^  (\d\.\d+), (learnt|held out|new): (\S+)$", last)
    assert len(lines) == 10
    shown = [float(error) for error, _, _ in lines]
    for _, kind, name in lines:
        assert mine.kinds[mine.names.index(name)] == kind
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
    colours = mine.images.mean(axis=(1, 2))
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


def test_a_new_file_is_encoded_as_the_manual_says(mine, samples, tmp_path, monkeypatch, capsys):
    """An image of the folder has the code that was saved."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    code = text.split("<!-- python: encode -->\n```python\n")[1].split("```")[0]
    shutil.copytree(mine.folder, tmp_path / "models" / "my_images")
    shutil.copy(samples / "photographs" / "temple" / "000_000.png", tmp_path / "new.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    exec(code, {})  # noqa: S102 (as it is written)
    said = capsys.readouterr().out.split("[[")[1]
    first = float(said.split()[0])
    expected = mine.codes[mine.names.index("temple/000_000.png")][0]
    assert first == pytest.approx(expected, abs=1e-3)


@pytest.fixture
def copied(mine, samples, tmp_path):
    """The folder of images and what the script has saved, to be changed; and a way to run it."""
    shutil.copytree(mine.folder, tmp_path / "models" / "my_images")
    shutil.copytree(samples / "photographs", tmp_path / "photos")

    def run(*words):
        options = [tmp_path / "photos", "--models", tmp_path / "models", "--no-show"]
        return run_script(SCRIPT, *options, *words, folder=FOLDER)

    return tmp_path / "photos", run


def test_what_was_learnt_stays_known_in_a_changed_folder(mine, copied):
    """By the files' contents: renamed, with another seed; what comes in is new."""
    photos, run = copied
    shutil.move(photos / "flower", photos / "blossom")
    for name in mine.names[:20]:
        path = photos / name.replace("flower", "blossom")
        path.unlink()
    for i in range(30):
        Image.new("RGB", (20, 20), (8 * i, 0, 0)).save(photos / f"red_{i}.png")
    loaded = run("--load", "--seed", "5", "--size", "64")
    assert "Epoch" not in loaded.said
    assert not loaded.shown
    assert "Loaded: 27 x 27 pixels" in loaded.said
    before = dict(zip(mine.names, mine.kinds, strict=True))
    for name, kind in zip(loaded.names, loaded.kinds, strict=True):
        expected = "new" if name.startswith("red_") else before[name.replace("blossom", "flower")]
        assert kind == expected, name
    assert loaded.limit == mine.limit
    assert sum(loaded.kinds == "new") == 30
    assert "of 30 images: new" in loaded.said
    np.testing.assert_allclose(loaded.codes[-1], mine.codes[-1], atol=1e-3)


def let_losses_be(before, after, monkeypatch):
    """The losses that the script finds before and after its training; fit's own are real."""
    losses = iter([before, after])
    evaluate = keras.Model.evaluate

    def call(self, *args, return_dict=False, **options):
        if return_dict:
            return evaluate(self, *args, return_dict=True, **options)
        return next(losses)

    monkeypatch.setattr(keras.Model, "evaluate", call)


def test_going_on_learns_none_that_was_held_out(mine, copied, monkeypatch):
    photos, run = copied
    let_losses_be(1.0, 0.5, monkeypatch)
    for i in range(30):
        Image.new("RGB", (20, 20), (8 * i, 0, 0)).save(photos / f"red_{i}.png")
    further = run("--go-on", "--epochs", "1")
    before = dict(zip(mine.names, mine.kinds, strict=True))
    for name, kind in zip(further.names, further.kinds, strict=True):
        if name in before:
            assert kind == before[name]
    assert sum(further.kinds == "new") == 0
    assert len(further.held_out) == 52 + 3
    assert "became no better" not in further.said
    with np.load(further.folder / "learnt.npz") as file:
        assert len(file["hashes"]) == 520 + 30


def test_images_are_new_to_a_network_that_became_no_better(mine, copied, monkeypatch):
    """What was saved before stays, and so do its limit and what it has learnt."""
    photos, run = copied
    for i in range(30):
        Image.new("RGB", (20, 20), (8 * i, 0, 0)).save(photos / f"red_{i}.png")
    let_losses_be(1.0, 1.0, monkeypatch)
    further = run("--go-on", "--epochs", "1")
    assert "became no better" in further.said
    assert sum(further.kinds == "new") == 30
    assert further.limit == mine.limit
    assert (further.folder / "learnt.npz").read_bytes() == (mine.folder / "learnt.npz").read_bytes()
    np.testing.assert_allclose(further.codes[-1], mine.codes[-1], atol=1e-3)


def test_one_image_finds_its_like(mine, copied):
    photos, run = copied
    found = run("--load", "--like", photos / "temple" / "000_000.png")
    (similar,) = re.findall(r"Similar to 000_000\.png:\n((?:  .*\n)+)", found.said)
    distances = np.linalg.norm(found.codes - found.code, axis=1)
    nearest = [found.names[i] for i in np.argsort(distances)]
    assert nearest[0] == "temple/000_000.png"  # the image itself, which is not said
    assert similar.split() == nearest[1:6]


def test_an_interrupted_run_leaves_what_was_there(copied, monkeypatch):
    photos, run = copied
    saved = {path: path.read_bytes() for path in (photos.parent / "models").rglob("*.*")}
    (photos / "new.png").write_bytes((photos / "temple" / "000_000.png").read_bytes())
    for method in ("compile", "fit"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(keras.Model, method, interrupt)
            run("--size", "20")
        after = {path: path.read_bytes() for path in (photos.parent / "models").rglob("*.*")}
        assert after == saved


def interrupt(*words, **options):
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def test_a_small_folder_is_learnt_all_the_same(tmp_path):
    """100 images are 3 steps an epoch: it goes on until 200 steps bring nothing."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(100):
        image = np.full((16, 16, 3), 40, "uint8")
        top, left = rng.integers(0, 9, 2)
        image[top : top + 8, left : left + 8] = [250, 40 + 2 * i, 40]
        Image.fromarray(image).save(tmp_path / "photos" / f"{i}.png")
    words = [tmp_path / "photos", "--size", "16", "--models", tmp_path, "--epochs", "120"]
    run = run_script(SCRIPT, *words, "--no-show", folder=FOLDER)
    errors = errors_of(run.said)
    assert errors["autoencoder"] < 0.5 * errors["mean colour"]


@pytest.mark.parametrize("name", ["{kind}/{i}.png", "{i}_{kind}.png"])
def test_how_many_of_the_nearest_are_of_the_same_kind(name, tmp_path):
    """By codes, 0 or 1 as the kind is, all; by pixels two of five: both kinds have each grey."""
    folder = tmp_path / "my_images"
    folder.mkdir()
    names = [name.format(kind=i // 20, i=i) for i in range(40)]
    codes = np.repeat([[0.0, 0.1], [1.0, 0.1]], 20, axis=0)
    kinds = np.where(np.arange(40) % 4 == 0, "held out", "learnt")
    images = np.zeros((40, 16, 16, 1), "uint8")
    for i in range(40):
        images[i] = 10 * (i % 20)
    np.savez(folder / "images.npz", images=images)
    np.savez(folder / "codes.npz", codes=codes, kinds=kinds, names=names)
    said = run_script(FOLDER / "alike.py", "--models", tmp_path, folder=FOLDER).said
    assert "10 held-out images" in said
    assert re.findall(r"[\d.]+%", said) == ["100.0%", "40.0%", "40.0%", "40.0%"]


@pytest.mark.parametrize(
    "words",
    [
        "--size=15",
        "--size=257",
        "--size=big",
        "--encoding-dim=0",
        "--batch-size=0",
        "--epochs=0",
        "--seed=-1",
        "--tpyo=1",
    ],
)
def test_bad_options_are_refused_before_anything_is_read(words, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2") as caught:
        run_script(SCRIPT, tmp_path, "--models", tmp_path / "out", words, folder=FOLDER)
    assert not caught.value.said
    assert words.split("=")[0] in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("working_directory", [ROOT, FOLDER])
@pytest.mark.parametrize("name", ["my_images", "own_digit", "sample_images", "alike"])
def test_the_first_cell_finds_the_project(name, working_directory):
    """A cell has no file, so that only the working directory says where it is."""
    start = (FOLDER / f"{name}.py").read_text(encoding="utf-8").partition("import common\n")[0]
    command = [sys.executable, "-c", start + "print(project.PROJECT)"]
    said = subprocess.run(command, cwd=working_directory, check=True, capture_output=True)
    assert Path(said.stdout.decode().strip()) == ROOT


@pytest.mark.parametrize("size", [16, 45])
def test_other_sizes_in_grey(size, tmp_path):
    save_many(tmp_path / "photos", 60, "L")
    words = [tmp_path / "photos", "--size", str(size), "--models", tmp_path, "--epochs", "1"]
    run = run_script(SCRIPT, *words, "--no-show", folder=FOLDER)
    assert run.autoencoder.output_shape == (None, size, size, 1)
    assert (run.folder / "similar.png").exists()
    assert "no better than the mean colours" in run.said
