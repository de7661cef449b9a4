"""Where the project is, so that the programs in this folder find common."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parents[1]
sys.path.insert(0, str(PROJECT))
