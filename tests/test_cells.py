"""Cells run again, in order, and from any one on; training that goes on."""

import common

import functools

import numpy as np
import pytest
from helpers import SCRIPTS, Cells, contents, entropy, predict

TO_THE_CODES = ("加载数据", "建立网络", "编译", "训练、保存", "加载保存的网络", "编码和解码")


def assert_saved_networks_belong_together(cells):
    """The three networks in the folder are of one run, and those of the cells."""
    x = cells.x_test[:20]
    autoencoder = common.load_model("autoencoder", cells.folder)
    encoder = common.load_model("encoder", cells.folder)
    decoder = common.load_model("decoder", cells.folder)
    whole = predict(autoencoder, x)
    np.testing.assert_allclose(predict(decoder, predict(encoder, x)), whole, atol=1e-5)
    np.testing.assert_allclose(predict(cells.autoencoder, x), whole, atol=1e-5)
    np.testing.assert_allclose(cells.decoded_imgs[:20], whole, atol=1e-5)


@pytest.fixture(scope="module")
def run_twice(few, tmp_path_factory):
    """A script's cells, run from 加载数据 to the codes, and then from 编译 on; made once."""

    @functools.cache
    def call(name):
        cells = Cells(name, few, tmp_path_factory.mktemp(name))
        cells.args.optimizer = "adam"
        cells.run(*TO_THE_CODES)
        cells.first_losses = cells.history.history["val_loss"]
        cells.run(*TO_THE_CODES[2:])
        return cells

    return call


@pytest.mark.parametrize("name", SCRIPTS)
def test_training_goes_on_after_loading(name, run_twice):
    cells = run_twice(name)
    assert cells.history.history["val_loss"][0] < cells.first_losses[-1]
    assert_saved_networks_belong_together(cells)


def test_cells_can_be_run_again_to_the_end(run_twice):
    """And a picture alone, when all is drawn."""
    cells = run_twice("simple")
    cells.run_from("加载保存的网络")
    cells.run("画图：原图")
    assert_saved_networks_belong_together(cells)


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_trains_nothing_and_shows_the_saved_network(name, run_twice, few):
    """Whatever --encoding-dim says; also in the summary, and in what it is compared with."""
    before = run_twice(name)
    files = contents(before.folder)
    cells = Cells(name, few, before.folder.parent)
    cells.args.load = True
    cells.args.encoding_dim = 7
    cells.run(*TO_THE_CODES)
    np.testing.assert_array_equal(cells.decoded_imgs, before.decoded_imgs)
    said = cells.said()
    assert "Epoch" not in said
    assert "trained autoencoder(x): at most 0\n" in said
    assert said.count("Total params") == 1
    assert f"Total params: {before.autoencoder.count_params():,} " in said
    assert "history" not in cells.variables
    cells.run("画图：损失曲线")  # nothing was trained, so there are none
    assert contents(before.folder) == files


def test_training_goes_on_in_another_session(run_twice, few):
    """After args.load = True, with args.load = False."""
    before = run_twice("deep")
    loss = entropy(before.x_test, before.decoded_imgs)
    cells = Cells("deep", few, before.folder.parent)
    cells.args.load = True
    cells.run(*TO_THE_CODES)
    cells.args.load = False
    cells.run(*TO_THE_CODES[2:])
    assert entropy(cells.x_test, cells.decoded_imgs) < loss
    assert_saved_networks_belong_together(cells)


def test_first_cell_can_be_run_again(few, tmp_path):
    cells = Cells("simple", few, tmp_path)
    cells.run("准备")
    assert cells.args.epochs == 50  # the defaults hold again
