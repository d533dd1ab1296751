#!/usr/bin/env bash
# Trains and evaluates cells of the paper's tables and prints them with the published numbers.
#   scripts/reproduce.sh table8 [--row=table8_maml] [--setting='2x40 k=10'] [--seeds=0,1,2] [--records_root_dir=DATA]
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

install tf
cd "$ROOT"
"$VENV_PYTHON" -m scripts.reproduce "$@"
