"""Runs the simple script in Spyder's kernel: the whole file, and then cell by cell.

The words: a file of digits, and a folder for the models. Printed: what the kernel says, and a
line between the whole file and the cells.
"""

import atexit
import os
import signal
import sys
from pathlib import Path

import jupyter_client

script = Path(__file__).resolve().parents[2] / "simple_autoencoder.py"
data, models = [Path(word).as_posix() for word in sys.argv[1:]]

del os.environ["MPLBACKEND"]
manager = jupyter_client.KernelManager(cache_ports=False)
command = [sys.executable, "-m", "spyder_kernels.console", "-f", "{connection_file}"]
manager.kernel_spec.argv[:] = command
manager.start_kernel(cwd=models)
# The kernel ends with this program, also if the tests end that.
atexit.register(manager.shutdown_kernel, now=True)
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=180)


def run(code, stop_at="never"):
    """Run code, and print what it prints; interrupt it when it prints the text `stop_at`."""

    def note(message):
        for line in message["content"].get("traceback", ()):
            print(line)
        text = message["content"].get("text", "")
        print(text, end="")
        if stop_at in text:
            manager.interrupt_kernel()

    client.execute_interactive(code, timeout=180, output_hook=note)


words = f"--epochs 1 --encoding-dim 3 --data {data} --models {models}"
run(f"%runfile {script.as_posix()} --args '{words}'")
run("print(decoded_imgs.shape, args.epochs)")
print("CELLS")
first, *cells = [f"# %%{cell}" for cell in script.read_text(encoding="utf-8").split("# %%")[1:]]
run(f"__file__ = r'{script}'\n{first}")
run("print(args.epochs, args.load)")
run(f"args.data = '{data}'\nargs.models = '{models}'\nargs.optimizer = 'adam'")
run("args.epochs = 100_000")
for cell in cells:
    run(cell, stop_at="Epoch 3/")  # as by the stop button
