"""The table: every number by its definition, of what the script hands over."""

import numpy as np
import pytest
from helpers import SCRIPTS, Cells, entropy, mse, predict, table
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
    share = 100 * nearest.score(codes.reshape(1100, -1), y_test)
    assert row.accuracy == pytest.approx(share, abs=0.11)
    assert share > 50


def assert_row_of_pca(row, run, size, digits):
    """A row of the table is that of PCA, here by singular values."""
    (x_train, _), (x_test, _) = digits
    pca = PCA(size, svd_solver="full").fit(x_train.reshape(4000, 784))
    codes = pca.transform(x_test.reshape(1100, 784))
    codes_train = pca.transform(x_train.reshape(4000, 784))
    assert_row(row, run, codes, pca.inverse_transform(codes), codes_train, digits)


@pytest.mark.parametrize("name", SCRIPTS)
def test_rows_of_the_autoencoder_and_pca(name, first_run, digits):
    run = first_run(name)
    rows = table(run.said)
    first = {"simple": "autoencoder", "deep": "middle: 32", "conv": "autoencoder"}[name]
    size = run.encoded_imgs[0].size
    assert list(rows)[:2] == [first, f"PCA {size}"]
    codes_train = predict(run.encoder, run.x_train)
    assert_row(rows[first], run, run.encoded_imgs, run.decoded_imgs, codes_train, digits)
    assert_row_of_pca(rows[f"PCA {size}"], run, size, digits)


def test_rows_of_the_second_split(first_run, digits):
    run = first_run("deep")
    rows = table(run.said)
    assert list(rows)[2:] == ["layer before: 64", "PCA 64"]
    codes = predict(run.encoder2, run.x_test)
    images = predict(run.decoder2, codes)
    codes_train = predict(run.encoder2, run.x_train)
    assert_row(rows["layer before: 64"], run, codes, images, codes_train, digits)
    assert_row_of_pca(rows["PCA 64"], run, 64, digits)


@pytest.mark.parametrize("name", SCRIPTS)
def test_pca_has_no_more_than_pixels_or_digits(name, first_run, npz, tmp_path):
    run = first_run(name)
    cells = Cells(name, npz, tmp_path)
    cells.variables.update(vars(run))
    cells.variables["n"] = 2
    cells.variables["x_train"] = run.x_train[:12]
    cells.run("主成分分析")
    assert cells.pca_codes.shape == (1100, 12)
    cells.variables["x_train"] = run.x_train[:1000]
    cells.variables["encoded_imgs"] = np.zeros((1100, 900))
    if name == "deep":
        cells.variables["encoded_imgs2"] = np.zeros((1100, 901))
    cells.run("主成分分析")
    assert cells.pca_codes.shape == (1100, 784)
    np.testing.assert_allclose(cells.pca_imgs.reshape(run.x_test.shape), run.x_test, atol=1e-3)
    if name == "deep":
        assert cells.pca_codes2.shape == (1100, 784)


@pytest.mark.parametrize("name", SCRIPTS)
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


@pytest.mark.parametrize("name", SCRIPTS)
def test_table_has_what_the_cells_have(name, first_run, npz, tmp_path):
    """Who changes the codes or the images in a cell sees the table change."""
    run = first_run(name)
    cells = Cells(name, npz, tmp_path)
    cells.variables.update(vars(run))
    cells.variables["decoded_imgs"] = run.x_test - 0.1
    cells.variables["encoded_imgs"] = 0 * run.encoded_imgs
    cells.run("表格")
    row = next(iter(table(cells.said()).values()))
    assert row.mse == pytest.approx(0.01)
    assert row.accuracy == pytest.approx(10, abs=5)  # all codes are the same
