#!/usr/bin/env bash
# Installs everything, lints, and runs the tests that are not marked slow. Arguments are passed to pytest. Needs Python and pip only.
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

install all
cd "$ROOT"
"$VENV_PYTHON" -m ruff check .
"$VENV_PYTHON" -m pytest -n 2 -m "not slow" "$@"
