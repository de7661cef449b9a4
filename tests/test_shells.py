"""The scripts in the shells that readers use: python -i, IPython, Jupyter, Spyder; on JAX."""

import common

import os
import re
import runpy
import shutil
import signal
import sys
from pathlib import Path

import jupyter_client
import keras
import numpy as np
import pytest
from helpers import PATHS, ROOT, start, table
from PIL import Image, ImageOps

posix = pytest.mark.skipif(os.name != "posix", reason="a child gets no Ctrl-C on Windows")


def test_interactive_python_keeps_all_at_hand(early):
    """Nothing but the script's own lines is printed, and no bar that redraws itself.

    On a western system, which cannot print 张三, there is a question mark in their place.
    """
    asked = "print(encoder.predict(x_test, verbose=0).shape, len(autoencoder.layers))\n"
    out, err = early["python -i"].communicate(asked, timeout=180)
    assert out.endswith("(200, 5) 3\n")
    assert not set(out) & set("\r\b\x1b")
    assert not re.search("Warning|Traceback", err)
    drawn = r"^Drawn: .*\?\? 100%.simple.reconstructions.png$"
    assert re.search(drawn, out, re.MULTILINE)


@pytest.fixture
def spyder(tmp_path, monkeypatch):
    """Spyder's kernel: a function that runs code in it, and returns what it printed."""
    monkeypatch.delenv("MPLBACKEND")
    manager = jupyter_client.KernelManager(cache_ports=False)
    command = [sys.executable, "-m", "spyder_kernels.console", "-f", "{connection_file}"]
    manager.kernel_spec.argv[:] = command
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=180)

    def run(code, stop_at="never"):
        said = []

        def note(message):
            said.extend(message["content"].get("traceback", ()))
            said.append(message["content"].get("text", ""))
            if stop_at in said[-1]:
                manager.interrupt_kernel()

        client.execute_interactive(code, timeout=180, output_hook=note)
        return "".join(said)

    yield run
    manager.shutdown_kernel(now=True)


def test_spyder_runs_the_whole_file(spyder, few, tmp_path):
    words = f"--epochs 1 --encoding-dim 3 --data {few.as_posix()}"
    words += f" --models {tmp_path.as_posix()}"
    said = spyder(f"%runfile {PATHS['deep'].as_posix()} --args '{words}'")
    assert {row.code for row in table(said).values()} == {3, 64}
    assert spyder("print(decoded_imgs.shape, args.epochs)") == "(200, 784) 1\n"

    # And then another one cell by cell, with options changed, and stopped.
    text = PATHS["simple"].read_text(encoding="utf-8")
    first, *cells = [f"# %%{cell}" for cell in text.split("# %%")[1:]]
    spyder(f"__file__ = r'{PATHS['simple']}'\n{first}")
    assert spyder("print(args.epochs, args.load, args.verbose)") == "50 False 1\n"
    change = f"args.data = r'{few}'\nargs.models = type(args.models)(r'{tmp_path}')"
    spyder(f"args.epochs = 100_000\n{change}")
    said = [spyder(cell, stop_at="Epoch 3/") for cell in cells]  # by the stop button
    assert "STOPPED EARLY" in "".join(said)
    assert table("".join(said))["autoencoder"].code == 16


def test_notebook(early):
    """A script as a notebook, with an option changed, and another one by %run."""
    out, err = early["notebook"].communicate(timeout=180)
    assert out.endswith("cells: 3 pictures\n%run: 3 pictures\n(200, 16)\n"), err


def test_jax(early):
    out, err = early["JAX"].communicate(timeout=180)
    assert early["JAX"].returncode == 0, err
    assert not re.search("Warning|Traceback", err)
    assert out.count("\n200 test digits ") == 3
    assert out.count("\nfloor ") == 3


def run_snippet(name):
    """Run a piece of Python of the README; returns its variables."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = text.split(f"<!-- python: {name} -->\n```python\n")[1].split("```")[0]
    Path("snippet.py").write_text(code, encoding="utf-8")
    return runpy.run_path("snippet.py")


@pytest.fixture
def with_a_trained_network(first_run, tmp_path, monkeypatch):
    """The working folder, with what the simple script saved, as the README has it."""
    run = first_run("simple")
    shutil.copytree(run.folder, tmp_path / "models" / "simple")
    monkeypatch.chdir(tmp_path)
    return run


def test_snippet_with_a_trained_network(with_a_trained_network):
    found = run_snippet("trained")
    run = with_a_trained_network
    np.testing.assert_allclose(found["codes"], run.encoded_imgs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["images"], run.decoded_imgs, atol=1e-5)


def test_snippet_with_a_drawing(with_a_trained_network):
    """Of either colours."""
    run = with_a_trained_network
    two = run.y_test.tolist().index(2)
    digit = Image.fromarray((run.x_test[two].reshape(28, 28) * 255).astype("uint8"))
    paper = Image.new("RGB", (400, 300))
    paper.paste(digit.resize((200, 200)), (150, 30))
    for drawing in (paper, ImageOps.invert(paper)):
        drawing.save("mine.png")
        found = run_snippet("own")
        x = found["x"]
        assert 0 <= x.min() < 0.05
        assert 0.95 < x.max() <= 1
        assert np.mean((x - run.x_test[two]) ** 2) < 0.02
        decoded = found["autoencoder"](x)
        assert np.mean((decoded - run.decoded_imgs[two]) ** 2) < 0.02
        assert Path("mine_decoded.png").exists()


def test_what_the_user_can_mend_is_one_line(early):
    process = early["no data"]
    out, err = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "Epoch" not in out
    assert err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [NameError("typo"), KeyboardInterrupt()])
def test_what_python_finds_keeps_its_traceback(error, monkeypatch, capsys):
    """But for Ctrl-C, after which nothing is printed."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    common.shorten_errors()
    try:
        raise error
    except (NameError, KeyboardInterrupt) as raised:
        sys.excepthook(type(raised), raised, raised.__traceback__)
    said = capsys.readouterr().err
    if isinstance(error, NameError):
        assert "Traceback" in said
        assert said.endswith("NameError: typo\n")
    else:
        assert said == ""


@posix
def test_ctrl_c(few, silent, tmp_path):
    """In a training, it keeps what was learnt; in a download, it leaves at once."""
    words = ["--epochs", "100000", "--models", tmp_path, "--data", few]
    training = start(PATHS["simple"], *words)
    environment = {"KERAS_HOME": str(tmp_path), "https_proxy": silent}
    hanging = start(PATHS["deep"], "--models", tmp_path, **environment)
    assert any("Epoch 3/" in line for line in training.stdout)
    training.send_signal(signal.SIGINT)
    assert "Downloading" in hanging.stdout.readline()
    hanging.send_signal(signal.SIGINT)
    out, err = training.communicate(timeout=180)
    assert training.returncode == 0, err
    assert "STOPPED EARLY by Ctrl-C" in err.splitlines()[-1]
    assert table(out)["autoencoder"].code == 16
    _, err = hanging.communicate(timeout=180)
    assert hanging.returncode == -signal.SIGINT
    assert "Traceback" not in err


def test_second_ctrl_c_in_a_shell(monkeypatch):
    """It is Python's own; and so is a first one after the block."""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)  # which a shell has
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


def test_second_ctrl_c_of_a_program(capsys):
    """The system ends it at once."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    usual = signal.getsignal(signal.SIGINT)
    with common.ctrl_c_stops(model):
        signal.raise_signal(signal.SIGINT)
        assert "once more to leave at once" in capsys.readouterr().err
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == usual
