"""What a run is compared with: PCA, and the figures of the closing table."""

import keras
import numpy as np
import pytest

import common


def test_pca_is_the_best_linear_code(sample):
    x_train, x_test = (x.reshape(len(x), 784) for x in sample)
    pca = common.fit_pca(x_train)
    mean = x_train.mean(axis=0)
    # Independently: the singular value decomposition of the centred digits.
    _, _, axes = np.linalg.svd(x_train - mean, full_matrices=False)
    for k in (1, 16, 128):
        expected = (x_test - mean) @ axes[:k].T @ axes[:k] + mean
        np.testing.assert_allclose(pca(x_test, k), expected, atol=1e-3)
        assert pca(x_test, k).dtype == np.float32


@pytest.mark.parametrize("k", [784, 1000])
def test_pca_with_all_components_loses_nothing(k, sample):
    pca = common.fit_pca(sample[0])
    np.testing.assert_allclose(pca(sample[1], k), sample[1], atol=1e-4)


def test_pca_of_repeated_digits_is_that_of_the_digits(sample):
    once, repeated = (
        common.fit_pca(x)(sample[1], 16)
        for x in (sample[0], np.tile(sample[0], (3, 1, 1)))
    )
    np.testing.assert_allclose(once, repeated, atol=1e-3)


def test_table_against_the_definitions(sample, capsys):
    x = sample[1]
    images = np.clip(x * 0.8 + 0.1, 0, 1)
    common.report(x, [("any label", 49, images)])
    said = capsys.readouterr().out
    (row,) = (
        line.split() for line in said.splitlines() if line.startswith("any label")
    )
    x, p = x.astype("float64"), images.astype("float64")
    entropy = -np.mean(x * np.log(p) + (1 - x) * np.log(1 - p))
    mse = np.mean((x - p) ** 2)
    assert row[2:4] == ["49", "16.0x"]
    assert float(row[4]) == pytest.approx(entropy, abs=6e-5)
    assert float(row[5]) == pytest.approx(mse, abs=6e-6)
    assert float(row[6]) == pytest.approx(-10 * np.log10(mse), abs=6e-3)
    (floor,) = (
        line.split()[1] for line in said.splitlines() if line.startswith("floor")
    )
    grey = x[(x > 0) & (x < 1)]
    own = -(grey * np.log(grey) + (1 - grey) * np.log(1 - grey)).sum() / x.size
    assert float(floor) == pytest.approx(own, abs=6e-5)


def test_settings_for_speed_lose_no_update(sample):
    """73 updates in groups of 47: the second group is short, and counts all the same."""
    x = sample[0][:2900].reshape(-1, 784)
    weights = []
    for settings in ({}, common.speed(50), common.speed(50, xla=True)):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((784,)), keras.layers.Dense(784, "sigmoid")]
        )
        model.compile("adam", "binary_crossentropy", **settings)
        model.fit(x, x, batch_size=40, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == 146
        weights.append(model.get_weights())
    for others in weights[1:]:
        for ours, others_w in zip(weights[0], others, strict=True):
            np.testing.assert_allclose(ours, others_w, atol=1e-4)


def test_short_runs_do_without_xla():
    assert "jit_compile" not in common.speed(2, xla=True)
    assert "jit_compile" not in common.speed(50)
    assert common.speed(50, xla=True)["jit_compile"] is True


def test_without_xla_training_goes_on_and_says_so(monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("no XLA\non this platform")

    monkeypatch.setattr(keras.Sequential, "predict_on_batch", fail)
    assert common.speed(50, xla=True) == common.speed(50)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "no XLA on this platform" in said
