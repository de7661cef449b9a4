"""What the programs in this folder share: where the project is, and how options are checked."""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parents[1]
sys.path.insert(0, str(PROJECT))  # 让 Python 找到 common.py · so that Python finds common.py


def whole_number(lowest, highest=None):
    """Return a function that reads a whole number in this range, for argparse's `type`."""

    def read(text):
        number = int(text)
        if number < lowest or (highest is not None and number > highest):
            limits = f"{lowest} 到 · to {highest}" if highest else f"至少 · at least {lowest}"
            raise argparse.ArgumentTypeError(f"{number}: {limits}")
        return number

    return read
