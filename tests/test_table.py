"""The table: every number by its definition, of what the script hands over."""

import re

import numpy as np
import pytest
from helpers import SCRIPTS, changed_script, entropy, mse, predict, second_parts, table
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier


def assert_row(row, run, codes, images, codes_train, digits):
    """A row of the table is what these codes and images give."""
    (_, y_train), (_, y_test) = digits
    size = codes[0].size
    x_images = images.reshape(run.x_test.shape)
    error = mse(run.x_test, x_images)
    assert row.code == size
    assert row.compression == pytest.approx(784 / size, abs=0.051)
    assert row.entropy == pytest.approx(entropy(run.x_test, x_images), abs=2e-4)
    assert row.mse == pytest.approx(error, abs=2e-5)
    assert row.psnr == pytest.approx(-10 * np.log10(error), abs=0.02)
    nearest = KNeighborsClassifier(n_neighbors=1)
    nearest.fit(codes_train.reshape(4000, -1), y_train)
    share = 100 * nearest.score(codes.reshape(1000, -1), y_test)
    assert row.recognised == pytest.approx(share, abs=0.11)
    assert share > 50


def assert_row_of_pca(row, run, size, digits):
    """A row of the table is that of PCA, here by singular values."""
    (x_train, _), (x_test, _) = digits
    pca = PCA(size, svd_solver="full").fit(x_train.reshape(4000, 784))
    codes = pca.transform(x_test.reshape(1000, 784))
    codes_train = pca.transform(x_train.reshape(4000, 784))
    assert_row(row, run, codes, pca.inverse_transform(codes), codes_train, digits)


@pytest.mark.parametrize("name", SCRIPTS)
def test_rows_of_the_autoencoder_and_pca(name, first_run, digits):
    run = first_run(name)
    rows = list(table(run.said).values())
    codes_train = predict(run.encoder, run.x_train[:4000])
    assert_row(rows[0], run, run.encoded_imgs, run.decoded_imgs, codes_train, digits)
    assert_row_of_pca(rows[1], run, run.encoded_imgs[0].size, digits)


def test_rows_of_the_second_split(first_run, digits):
    run = first_run("deep")
    rows = table(run.said)
    assert list(rows) == ["middle: 32", "PCA 32", "layer 2: 64", "PCA 64"]
    encoder, decoder = second_parts(run.autoencoder)
    codes = predict(encoder, run.x_test)
    images = predict(decoder, codes)
    codes_train = predict(encoder, run.x_train[:4000])
    assert_row(rows["layer 2: 64"], run, codes, images, codes_train, digits)
    assert_row_of_pca(rows["PCA 64"], run, 64, digits)


@pytest.mark.parametrize("name", SCRIPTS)
def test_floor_is_the_cross_entropy_of_perfect_images(name, first_run):
    run = first_run(name)
    floor = re.search(r"^floor +(\S+)$", run.said, re.MULTILINE)[1]
    assert float(floor) == pytest.approx(entropy(run.x_test, run.x_test), abs=6e-5)


@pytest.mark.parametrize("name", SCRIPTS)
def test_table_has_what_the_script_has(name, first_run, run, npz, tmp_path):
    """Who changes the codes or the images in the script sees the table change."""
    end_of_cell = "\n# %% 主成分分析"
    change = f"decoded_imgs = x_test\nencoded_imgs = 0 * encoded_imgs\n{end_of_cell}"
    path = changed_script(tmp_path, name, {end_of_cell: change})
    done = run(path, "--load", data=npz, models=first_run(name).folder.parent)
    row = next(iter(table(done.said).values()))
    assert row.mse == 0
    assert row.recognised == pytest.approx(10, abs=5)  # all codes are the same


def test_code_that_is_wider_than_the_input(run, npz):
    """PCA has no more than 784 numbers, and needs no more."""
    done = run("simple", "--epochs", "1", "--encoding-dim", "1000", data=npz)
    rows = table(done.said)
    assert rows["autoencoder"].code == 1000
    assert rows["autoencoder"].compression == 0.8
    assert rows["PCA 784"].mse < 1e-6


def test_middle_and_split_of_deep(run):
    """After the last hidden layer, with a middle that is wider than the other layers."""
    words = ["--epochs", "1", "--encoding-dim", "400", "--split", "5"]
    done = run("deep", *words)
    sizes = [row.code for row in table(done.said).values()]
    assert sizes == [400, 400, 128, 128]
    codes = predict(second_parts(done.autoencoder, 5)[0], done.x_test)
    np.testing.assert_allclose(done.encoded_imgs2, codes, rtol=1e-4, atol=1e-5)
