#!/usr/bin/env bash
# Runs the tests on the newest pre-releases, with last night's Keras, in an environment of
# their own. PYTHON=python3.13 in front of it takes another Python.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
"${PYTHON:-python3}" -m venv "$venv"
python=$venv/bin/python
if [ -d "$venv/Scripts" ]; then # on Windows
  python=$venv/Scripts/python
fi
"$python" -m pip install --pre -r requirements.txt -r tests/requirements.txt
"$python" -m pip uninstall --yes keras keras-nightly
"$python" -m pip install --pre keras-nightly
"$python" -m pytest tests
