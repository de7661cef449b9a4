"""The scripts in the shells that readers use: python -i, Jupyter, Spyder, a thread; on JAX."""

import common

import re
import runpy
import shutil
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import ROOT, Cells, changed_script, table


def test_an_error_that_you_can_mend_is_one_line(capsys):
    error = common.UserError("do this")
    common.print_error(type(error), error, None)
    assert capsys.readouterr().err == "error: do this\n"


def test_errors_of_other_kinds_keep_their_traceback(capsys):
    try:
        raise NameError("typo")
    except NameError as error:
        common.print_error(type(error), error, error.__traceback__)
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("NameError: typo\n")


def test_training_in_a_thread(few, tmp_path):
    """As in Streamlit; only the main thread may change what Ctrl-C does."""
    cells = Cells("simple", few, tmp_path)
    titles = ("加载数据", "建立网络", "编译", "训练、保存")
    thread = threading.Thread(target=cells.run, args=titles)
    thread.start()
    thread.join()
    assert (tmp_path / "simple" / "decoder_weights.pkl").exists()


def test_readme_s_lines_with_a_trained_network(first_run, tmp_path, monkeypatch, capsys):
    run = first_run("simple")
    shutil.copytree(run.folder, tmp_path / "models" / "simple")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    code = text.split("<!-- python: trained -->\n```python\n")[1].split("```")[0]
    Path("snippet.py").write_text(code, encoding="utf-8")
    found = runpy.run_path("snippet.py")
    np.testing.assert_allclose(found["codes_test"][:1100], run.encoded_imgs, rtol=1e-4, atol=1e-5)
    share = float(capsys.readouterr().out.splitlines()[-1])
    assert 0.6 < share < 1


def test_ctrl_c_keeps_what_was_learnt(run, tmp_path, capsys):
    """It is saved and shown, after the epoch in which the signal came."""
    ctrl_c = "LambdaCallback(on_epoch_end=lambda *_: signal.raise_signal(signal.SIGINT))"
    changes = {"shuffle=True,": f"shuffle=True, callbacks=[keras.callbacks.{ctrl_c}],"}
    changes["n = 12"] = "n = 2"
    path = changed_script(tmp_path, "simple", changes, "import signal\nimport keras")
    done = run(path, "--epochs", "9")
    assert "Epoch 1/9\n" in done.said
    assert len(done.history.history["val_loss"]) == 1
    assert capsys.readouterr().err.endswith("STOPPED EARLY by Ctrl-C; once more to leave at once\n")
    assert table(done.said)["autoencoder"].code == 16


def test_second_ctrl_c_is_python_s_own():
    """And so is a first one after the block, also where the block ends with an error."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), common.ctrl_c_stops(model):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == usual
    with common.ctrl_c_stops(model):
        signal.raise_signal(signal.SIGINT)
        assert model.stop_training
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with common.ctrl_c_stops(model):
        assert signal.getsignal(signal.SIGINT) != usual
    assert signal.getsignal(signal.SIGINT) == usual


def test_interactive_python_keeps_all_at_hand(early):
    """On a Western system, which cannot print 张三, there is a question mark in their place.

    A keras.json of 2017 and a matplotlibrc change nothing.
    """
    asked = """\
print(encoder.predict(x_test, verbose=0).shape, len(autoencoder.layers))
print(common.keras.config.backend(), decoded_imgs.dtype)
print(plt.figure("reconstructions.png").axes[0].yaxis.label.get_size())
print(plt.figure("history.png").axes[0].title.get_size())
"""
    out, err = early["python -i"].communicate(asked, timeout=180)
    assert out.endswith("(200, 5) 3\ntensorflow float32\n10.0\n12.0\n"), err
    assert not re.search("Warning|Traceback", err)
    drawn = r"^Drawn: .*\?\? 100%.simple.reconstructions.png$"
    assert re.search(drawn, out, re.MULTILINE)


def test_notebook(early):
    """A script as a notebook, with an option changed."""
    out, err = early["notebook"].communicate(timeout=180)
    assert out.endswith("4 pictures\n(200, 16)\n"), err


def test_spyder(early):
    """The whole file, and then cell by cell, with options changed, and stopped."""
    out, err = early["Spyder"].communicate(timeout=180)
    whole, cells = out.split("CELLS\n")
    assert {row.code for row in table(whole).values()} == {3}, err
    assert whole.endswith("(200, 784) 1\n")
    assert cells.startswith("50 False\n")
    assert "STOPPED EARLY" in cells
    assert table(cells)["autoencoder"].code == 16


def test_jax(early):
    out, err = early["JAX"].communicate(timeout=180)
    assert early["JAX"].returncode == 0, err
    assert not re.search("Warning|Traceback", err)
    assert out.startswith("changed by the import: []\n")
    assert out.count("\n200 test digits ") == 3
    assert out.count("\nlower bound ") == 3
    assert out.count(" + penalty: ") == 1
    assert "another network" not in out
