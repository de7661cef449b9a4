#!/usr/bin/env bash
# Runs the tests on the newest pre-releases, with last night's Keras, in an environment of
# their own. PYTHON=python3.13 in front of it takes another Python.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install --pre -r requirements.txt -r tests/requirements.txt
"$venv/bin/pip" uninstall --yes keras keras-nightly
"$venv/bin/pip" install --pre keras-nightly
"$venv/bin/python" -m pytest tests
