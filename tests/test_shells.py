"""The scripts in the shells that readers use: python -i, Jupyter, Spyder; and on JAX.

These run beside the other tests, and are looked at when those have ended.
"""

import re

from helpers import table


def done(early, name):
    """What a process printed, which must have ended well."""
    process = early[name].result(timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout, process.stderr


def test_jax(early):
    """All three scripts, where TensorFlow is missing; and what the import of common changes."""
    out, err = done(early, "JAX")
    assert not re.search("Warning|Traceback", err)
    assert out.startswith("changed by the import: []\n")
    assert out.count("\n64 test digits ") == 3
    assert out.count("\nlower bound ") == 3
    differences = re.findall(r"(?m)^images .* differ by (\S+) \(rounding", out)
    assert len(differences) == 4
    assert max(float(text) for text in differences) < 1e-4


def test_spyder(early):
    """The whole file, and then cell by cell, with options changed, and stopped."""
    out, err = done(early, "Spyder")
    whole, cells = out.split("CELLS\n")
    assert {row.code for row in table(whole).values()} == {3}, err
    assert whole.endswith("(64, 784) 1\n")
    assert cells.startswith("50 False\n")
    assert "Epoch 3/100000" in cells
    assert table(cells)["autoencoder"].code == 16


def test_notebook(early):
    """A script as a notebook, with an option changed."""
    out, err = done(early, "Jupyter")
    assert out.endswith("4 pictures\n(64, 16)\n"), err


def test_interactive_python_keeps_all_at_hand(early):
    out, err = done(early, "python -i")
    assert out.endswith("(64, 16) 0.5 2\n"), err
    assert not re.search("Warning|Traceback", err)
