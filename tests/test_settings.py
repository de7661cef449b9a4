"""What a user's keras.json says does not change what the scripts do."""

import keras
import numpy as np
import pytest
from helpers import Cells, table


@pytest.fixture
def keras_as_it_was():
    """Keras's settings are the usual ones again after the test."""
    yield
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


def set_others():
    """What a user's keras.json may say."""
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    keras.config.set_image_data_format("channels_first")


def test_settings_of_keras_change_no_figure(silent_run, run, keras_as_it_was):
    set_others()
    done = run("simple", "--epochs", "1", "--verbose", "0")
    np.testing.assert_array_equal(done.encoded_imgs, silent_run.encoded_imgs)
    rows = table(done.said)
    for label, row in table(silent_run.said).items():
        assert vars(rows[label]) == vars(row)


def test_settings_of_keras_do_not_stop_conv(few, tmp_path, keras_as_it_was):
    """Its images have their channel as the last axis."""
    set_others()
    cells = Cells("conv", few, tmp_path)
    cells.run("加载数据")
    cells.run("建立网络")
    assert cells.encoder.output_shape == (None, 4, 4, 8)
    assert cells.encoder(cells.x_test[:1]).shape == (1, 4, 4, 8)


def test_keras_json_of_2017(early):
    """It is named in one line, with what to do."""
    _, err = early["of 2017"].communicate(timeout=180)
    assert early["of 2017"].returncode == 1
    assert "Traceback" not in err
    last_line = err.splitlines()[-1]
    assert last_line.startswith("error: Keras does not start: ")
    assert "theano" in last_line
    assert last_line.endswith("keras.json, or delete that file")
    assert "keras of 2017" in last_line
