"""The scripts in the shells that readers use: python -i, IPython, Jupyter, Spyder; on JAX."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import jupyter_client
import jupytext
import nbclient
import nbformat
import numpy as np
from conftest import PATHS, ROOT
from PIL import Image, ImageOps
from test_learning import table


def test_interactive_python_keeps_all_at_hand(early):
    """Nothing but the script's own lines is printed, and no bar that redraws itself."""
    asked = "print(encoder.predict(x_test, verbose=0).shape, len(autoencoder.layers))\n"
    out, err = early["python -i"].communicate(asked, timeout=180)
    assert out.endswith("(200, 5) 3\n") and not set(out) & set("\r\b\x1b")
    assert not re.search("Warning|Traceback", err)
    assert re.search(r"^Drawn: .*simple.reconstructions.png$", out, re.MULTILINE)


def test_spyder(few, tmp_path, monkeypatch, request):
    """The whole file, and then cell by cell with options changed, and stopped."""
    monkeypatch.delenv("MPLBACKEND")
    manager = jupyter_client.KernelManager(cache_ports=False)
    command = [sys.executable, "-m", "spyder_kernels.console", "-f"]
    manager.kernel_spec.argv[:] = [*command, "{connection_file}"]
    manager.start_kernel(cwd=str(tmp_path))
    request.addfinalizer(lambda: manager.shutdown_kernel(now=True))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=180)

    def kernel(code, stop_at="never"):
        """What the code prints."""
        said = []

        def note(message):
            said.extend(message["content"].get("traceback", ()))
            said.append(message["content"].get("text", ""))
            if stop_at in said[-1]:
                manager.interrupt_kernel()

        client.execute_interactive(code, timeout=180, output_hook=note)
        return "".join(said)

    words = f"--epochs 1 --encoding-dim 3 --data {few} --models {tmp_path}"
    said = kernel(f"%runfile {PATHS['deep']} --args '{words}'")
    assert {row[0] for row in table(said).values()} == {3, 64}
    assert kernel("print(decoded_imgs.shape, args.epochs)") == "(200, 784) 1\n"

    text = PATHS["simple"].read_text(encoding="utf-8")
    first, *cells = [f"# %%{cell}" for cell in text.split("# %%")[1:]]
    kernel(f"__file__ = r'{PATHS['simple']}'\n{first}")
    assert kernel("print(args.epochs, args.load)") == "50 False\n"  # the defaults
    change = f"args.data, args.folder = r'{few}', type(args.folder)(r'{tmp_path}')"
    kernel(f"args.epochs = 100_000; {change}")
    said = [kernel(cell, stop_at="Epoch 3/") for cell in cells]  # by the stop button
    assert "STOPPED EARLY" in said[3] and table(said[5])["autoencoder"][0] == 16


def test_notebook(few, tmp_path, monkeypatch):
    """By jupytext, with its pictures inline and an option changed; then by %run."""
    text = PATHS["conv"].read_text(encoding="utf-8")
    notebook, new_cell = jupytext.reads(text, "py:percent"), nbformat.v4.new_code_cell
    change = f"args.data, args.folder = r'{few}', type(args.folder)(r'{tmp_path}')"
    notebook.cells.insert(2, new_cell(change))  # behind the options
    words = f"--epochs 1 --data {few} --models {tmp_path}"
    notebook.cells.append(new_cell(f"%run {PATHS['simple']} {words}"))
    notebook.cells.append(new_cell("print(encoded_imgs.shape)"))
    monkeypatch.delenv("MPLBACKEND")
    nbclient.NotebookClient(notebook, timeout=180).execute()
    outputs = [x.get("outputs", ()) for x in notebook.cells]
    pictures = [sum("image/png" in x.get("data", ()) for x in cell) for cell in outputs]
    assert sum(pictures[:-2]) == 3 and pictures[-2] == 3
    assert outputs[-1][0]["text"] == "(200, 16)\n"


def run_snippet(name):
    """Run a piece of Python of the README; returns its variables."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = text.split(f"<!-- python: {name} -->\n```python\n")[1].split("```")[0]
    Path("snippet.py").write_text(code, encoding="utf-8")
    return runpy.run_path("snippet.py")


def test_snippets_of_the_readme(first_runs, tmp_path, monkeypatch):
    """A trained network in Python, and a drawing of one's own, of either colours."""
    run = first_runs["simple"]
    shutil.copytree(run.args.folder, tmp_path / "models" / "simple")
    monkeypatch.chdir(tmp_path)
    found = run_snippet("trained")
    np.testing.assert_allclose(found["codes"], run.encoded_imgs, 1e-4)
    np.testing.assert_allclose(found["images"], run.decoded_imgs, atol=1e-5)

    two = run.y_test.tolist().index(2)
    digit = Image.fromarray((run.x_test[two].reshape(28, 28) * 255).astype("uint8"))
    paper = Image.new("RGB", (400, 300))
    paper.paste(digit.resize((200, 200)), (150, 30))
    for drawing in (paper, ImageOps.invert(paper)):
        drawing.save("mine.png")
        found = run_snippet("own")
        x = found["x"]
        assert 0 <= x.min() < 0.05 and 0.95 < x.max() <= 1
        assert np.mean((x - run.x_test[two]) ** 2) < 0.02
        drawn = found["autoencoder"](x)
        assert np.mean((drawn - run.decoded_imgs[two]) ** 2) < 0.02
        assert Path("mine_drawn.png").exists()


def test_jax(early):
    out, err = early["JAX"].communicate(timeout=180)
    assert early["JAX"].returncode == 0, err
    assert not re.search("Warning|Traceback", err)
    assert out.count("\n200 test digits ") == 3 == out.count("\nfloor ")
