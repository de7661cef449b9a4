"""Cells run again, in order, and from any one on; training that goes on."""

import common

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
    """The simple script's cells, run from 加载数据 to the codes, and then from 编译 on."""
    cells = Cells("simple", few, tmp_path_factory.mktemp("simple"))
    cells.args.optimizer = "adam"
    cells.run(*TO_THE_CODES)
    cells.first_losses = cells.history.history["val_loss"]
    cells.run(*TO_THE_CODES[2:])
    return cells


def test_training_goes_on_after_loading(run_twice):
    assert run_twice.history.history["val_loss"][0] < run_twice.first_losses[-1]
    assert_saved_networks_belong_together(run_twice)


@pytest.mark.parametrize("name", SCRIPTS)
def test_loaded_parts_share_the_weights_of_the_loaded_whole(name, first_run):
    """So that training can go on, of all three scripts."""
    run = first_run(name)
    whole = [id(variable) for variable in run.autoencoder.variables]
    parts = [id(variable) for variable in run.encoder.variables + run.decoder.variables]
    assert parts == whole


def test_cells_can_be_run_again_to_the_end(run_twice):
    """And a picture alone, when all is drawn."""
    run_twice.run_from("加载保存的网络")
    run_twice.run("画图：原图")
    assert_saved_networks_belong_together(run_twice)


@pytest.mark.parametrize("name", SCRIPTS)
def test_load_trains_nothing_and_shows_the_saved_network(name, first_run, npz):
    """Whatever --encoding-dim says; also in the summary, and in what it is compared with."""
    before = first_run(name)
    files = contents(before.folder)
    cells = Cells(name, npz, before.folder.parent)
    cells.args.load = True
    cells.args.encoding_dim = 7
    cells.run(*TO_THE_CODES)
    np.testing.assert_array_equal(cells.decoded_imgs, before.decoded_imgs)
    said = cells.said()
    assert "Epoch" not in said
    assert "trained autoencoder(x): at most 0\n" in said
    assert said.count("Total params") == before.said.count("Total params") == 1
    assert f"Total params: {before.autoencoder.count_params():,} " in said
    assert "history" not in cells.variables
    cells.run("画图：损失曲线")  # nothing was trained, so there are none
    assert contents(before.folder) == files


def test_training_goes_on_in_another_session(run_twice, few):
    """After args.load = True, with args.load = False."""
    loss = entropy(run_twice.x_test, run_twice.decoded_imgs)
    cells = Cells("simple", few, run_twice.folder.parent)
    cells.args.load = True
    cells.args.optimizer = "adam"
    cells.run(*TO_THE_CODES)
    cells.args.load = False
    cells.run(*TO_THE_CODES[2:])
    assert entropy(cells.x_test, cells.decoded_imgs) < loss
    assert_saved_networks_belong_together(cells)


def test_first_cell_can_be_run_again(few, tmp_path):
    cells = Cells("simple", few, tmp_path)
    cells.run("准备")
    assert cells.args.epochs == 50  # the defaults hold again
