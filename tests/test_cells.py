"""Cells run again, in order, and from any one on; training that goes on."""

import common

import functools

import numpy as np
import pytest
from helpers import SCRIPTS, Cells, entropy, predict

STARTS = ["加载保存的网络", "加载数据"]


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
        cells.run("加载数据", "建立网络", "编译", "训练、保存", "加载保存的网络", "编码和解码")
        cells.first_losses = cells.history.history["val_loss"]
        cells.run("编译", "训练、保存", "加载保存的网络", "编码和解码")
        return cells

    return call


@pytest.mark.parametrize("name", SCRIPTS)
def test_training_goes_on_after_loading(name, run_twice):
    cells = run_twice(name)
    assert cells.history.history["val_loss"][0] < cells.first_losses[-1]
    assert_saved_networks_belong_together(cells)


@pytest.mark.parametrize("start", STARTS)
def test_cells_can_be_run_again_from_any_one_on(start, run_twice):
    cells = run_twice("simple")
    cells.run_from(start)
    assert_saved_networks_belong_together(cells)


def test_training_goes_on_in_another_session(run_twice, few):
    """After --load, or args.load = True."""
    before = run_twice("deep")
    loss = entropy(before.x_test, before.decoded_imgs)
    cells = Cells("deep", few, before.folder.parent)
    cells.args.load = True
    cells.run("加载数据", "建立网络", "编译", "训练、保存", "加载保存的网络", "编码和解码")
    np.testing.assert_allclose(cells.decoded_imgs, before.decoded_imgs, atol=1e-5)
    cells.args.load = False
    cells.run("编译", "训练、保存", "加载保存的网络", "编码和解码")
    assert entropy(cells.x_test, cells.decoded_imgs) < loss
    assert_saved_networks_belong_together(cells)


def test_first_cell_can_be_run_again(few, tmp_path):
    cells = Cells("simple", few, tmp_path)
    cells.run("准备")
    assert cells.args.epochs == 50  # the defaults hold again
