"""The scripts in cells: run again, gone on with, stopped; and what the READMEs have."""

import common

import re
import shutil
import signal

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import PICTURES, ROOT, SCRIPTS, Cells, entropy, mse, predict, rows_of
from PIL import Image

BUILD = ("加载数据", "建立网络", "编译")
TRAIN = ("编译", "训练", "保存", "加载保存的网络", "编码和解码")


@pytest.fixture
def run_twice(few, tmp_path, eager):
    """The simple script's cells, run from 加载数据 to the codes, and then from 编译 on."""
    cells = Cells("simple", few, tmp_path)
    cells.args.optimizer = "adam"
    cells.run(*BUILD, *TRAIN[1:])
    cells.first_losses = cells.autoencoder.history.history["val_loss"]
    cells.run(*TRAIN)
    return cells


def assert_saved_networks_belong_together(cells):
    """The three networks in the folder are of one run, and those of the cells."""
    x = cells.x_test[:20]
    whole = predict(common.load_model("autoencoder", cells.folder), x)
    codes = predict(common.load_model("encoder", cells.folder), x)
    images = predict(common.load_model("decoder", cells.folder), codes)
    np.testing.assert_allclose(images, whole, atol=1e-5)
    np.testing.assert_allclose(predict(cells.autoencoder, x), whole, atol=1e-5)
    np.testing.assert_allclose(cells.decoded_imgs[:20], whole, atol=1e-5)


def test_training_goes_on(run_twice, few):
    """From compile on; and in another session, as the README says."""
    losses = run_twice.autoencoder.history.history["val_loss"]
    assert losses[0] < run_twice.first_losses[-1]
    assert_saved_networks_belong_together(run_twice)
    loss = entropy(run_twice.x_test, run_twice.decoded_imgs)
    cells = Cells("simple", few, run_twice.folder.parent)
    cells.args.optimizer = "adam"
    cells.args.load = True
    cells.run(*BUILD, "训练", "保存", "加载保存的网络")
    line = "autoencoder.set_weights(loaded_autoencoder.get_weights())"
    assert (ROOT / "models" / "README.md").read_text(encoding="utf-8").count(f"`{line}`") == 2
    exec(line, cells.variables)  # noqa: S102 (as it is written)
    cells.args.load = False
    cells.run(*TRAIN)
    assert entropy(cells.x_test, cells.decoded_imgs) < loss
    assert_saved_networks_belong_together(cells)


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_shows_the_saved_network_again(name, few, tmp_path, eager, monkeypatch):
    """Nothing is trained or saved, and all but the losses is drawn, to the table.

    Then the first cell is run again, which gives the defaults.
    """
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(True))
    plt.close("all")
    cells = Cells(name, few, tmp_path)
    cells.run(*BUILD, "训练", "保存")
    trained_imgs = predict(cells.autoencoder, cells.x_test)
    networks = {path: path.read_bytes() for path in cells.folder.glob("*.pkl")}
    cells.output.truncate(0)
    plt.close("all")

    cells.args.load = True
    cells.run_from("加载数据")
    said = cells.output.getvalue()
    assert "val_loss" not in said
    assert "Namespace" not in said
    assert len(rows_of(said)) == (4 if name == "deep" else 2)
    np.testing.assert_allclose(cells.decoded_imgs, trained_imgs, atol=1e-5)
    assert {path: path.read_bytes() for path in cells.folder.glob("*.pkl")} == networks
    assert set(plt.get_figlabels()) == PICTURES[name] | {"reconstructions.png", "pca.png"}
    assert not shown
    cells.args.no_show = False
    cells.run("显示图片")
    assert shown == [True]
    cells.run("准备")
    assert cells.args.load is False
    assert cells.args.epochs == (1 if name == "conv" else 50)


@pytest.mark.parametrize("name", SCRIPTS)
def test_loaded_parts_are_compared_with_the_trained_network(name, first_run, few):
    """Not with the loaded one: else nobody would see what was lost on the way.

    With --load there is no trained network, and nothing is said.
    """
    cells = Cells(name, few, first_run(name).folder.parent)
    cells.args.load = True
    cells.run(*BUILD, "训练", "加载保存的网络", "编码和解码")
    cells.args.load = False
    cells.run("编码和解码")  # the network of these cells is another one: it is not trained
    (difference,) = re.findall(r"(?m)^images .* differ by (\S+) \(", cells.output.getvalue())
    assert float(difference) > 0.001


def test_ctrl_c_keeps_what_was_learnt(few, tmp_path, eager):
    """It is saved and drawn, after the epoch in which the signal came."""
    cells = Cells("simple", few, tmp_path)
    cells.args.epochs = 9
    cells.run(*BUILD)
    fit = cells.autoencoder.fit

    def fit_and_press(*words, callbacks, **options):
        press = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: signal.raise_signal(signal.SIGINT)
        )
        return fit(*words, callbacks=[press] + callbacks, **options)

    cells.autoencoder.fit = fit_and_press
    cells.run("训练", "保存", "加载保存的网络", "编码和解码")
    said = cells.output.getvalue()
    assert "Epoch 1/9\n" in said
    assert "Epoch 2/9\n" not in said
    assert_saved_networks_belong_together(cells)


# ---- What the READMEs have ------------------------------------------------------------------


def snippet(name):
    """The Python code below a mark in models/README.md."""
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    return text.split(f"<!-- python: {name} -->\n```python\n")[1].split("```")[0]


def test_classifier_of_the_readme(first_run, npz, tmp_path, monkeypatch, capsys):
    run = first_run("simple")
    shutil.copytree(run.folder, tmp_path / "models" / "simple")
    monkeypatch.chdir(tmp_path)
    code = snippet("trained").replace("load_mnist()", "load_mnist(npz)")
    found = {"npz": npz}
    exec(code, found)  # noqa: S102 (as it is written)
    np.testing.assert_allclose(found["codes_test"], run.encoded_imgs, rtol=1e-4, atol=1e-5)
    printed = capsys.readouterr().out.splitlines()[-2:]
    accuracies = {line.split()[0]: float(line.split()[1]) for line in printed}
    assert 0.6 < accuracies["codes"] < 1
    assert 0.6 < accuracies["pixels"] < 1


def test_denoising_of_the_readme(npz, tmp_path):
    """What comes out is nearer to the clean digits than what went in."""
    cells = Cells("simple", npz, tmp_path)
    cells.run("加载数据")
    exec(snippet("noise"), cells.variables)  # noqa: S102 (as it is written)
    cells.args.optimizer = "adam"
    cells.args.epochs = 3
    cells.args.batch_size = 32
    cells.run("建立网络", "编译")
    (fit,) = [cell for cell in cells.cells if cell.startswith("训练")]
    changed = fit.replace(
        "        x_train,\n        x_train,", "        noisy_train,\n        x_train,"
    )
    changed = changed.replace("(x_test, x_test)", "(noisy_test, x_test)")
    assert changed.count("noisy") == 2
    cells.cells[cells.cells.index(fit)] = changed
    cells.run("训练", "保存", "加载保存的网络", "编码和解码", "画图：原图")
    exec(snippet("denoised"), cells.variables)  # noqa: S102 (as it is written)
    assert mse(cells.denoised, cells.x_test) < 0.6 * mse(cells.noisy_test, cells.x_test)
    assert (cells.folder / "denoised.png").exists()


def test_export_of_the_readme(first_run, tmp_path, monkeypatch):
    """The loaded encoder, which is there with --load, too, in Keras's own format."""
    line = 'loaded_encoder.save("encoder.keras")'
    readme = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    assert readme.count(f"`{line}`") == 2
    monkeypatch.chdir(tmp_path)
    run = first_run("simple")
    exec(line, {"loaded_encoder": run.loaded_encoder})  # noqa: S102 (as it is written)
    codes = predict(keras.models.load_model("encoder.keras"), run.x_test)
    np.testing.assert_allclose(codes, run.encoded_imgs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["simple", "conv"])
def test_unusual_images_of_the_readme(name, first_run, capsys):
    """Digits in black on white are found, and five of a hundred test digits."""
    run = first_run(name)
    x_new = "x_new = np.concatenate([x_test, 1 - x_test[:10]])"
    code = snippet("limit").replace("x_new = x_test[:10, ::-1]", x_new)
    assert x_new in code
    exec(code, vars(run))  # noqa: S102 (as it is written)
    numbers = [int(word) for word in re.findall(r"\d+", capsys.readouterr().out)]
    assert len([n for n in numbers if n < 1100]) == pytest.approx(55, abs=1)
    assert numbers[-10:] == list(range(1100, 1110))


def test_a_folder_of_images_in_a_script(few, tmp_path, monkeypatch, eager):
    """The README's lines, in the third script with the shape that they name."""
    photos = tmp_path / "photos"
    more = photos / "more"
    more.mkdir(parents=True)
    for i in range(130):
        image = Image.fromarray(np.full((40, 60, 3), i, "uint8"))
        folder = [photos, more][i % 2]
        ending = [".jpg", ".JPG", ".png"][i % 3]
        image.save(folder / f"{i:03}{ending}")
    monkeypatch.chdir(tmp_path)
    code = snippet("folder")
    flat = "images.reshape(len(images), -1)"
    assert code.count(flat) == 1
    code = code.replace(flat, "images.reshape(len(images), 28, 28, 1)")
    cells = Cells("conv", few, tmp_path)
    cells.run("加载数据")
    exec(code, cells.variables)  # noqa: S102 (as it is written)
    cells.run("建立网络", "编译", "训练")
    assert len(cells.x_test) == 13
    assert len(cells.x_train) == 117
    greys = np.concatenate([cells.x_test, cells.x_train])[:, 14, 14, 0]
    np.testing.assert_allclose(np.sort(greys), np.arange(130) / 255, atol=2 / 255)
    assert greys[:13].max() > 20 / 255  # mixed: not the first 13
    assert "val_loss" in cells.output.getvalue()
