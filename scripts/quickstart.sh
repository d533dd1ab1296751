#!/usr/bin/env bash
# Meta-trains a small fo-Proto-MAML+ALFA on the embedded ten-source data and evaluates it on all ten sources.
# Needs Python and pip only. Arguments are passed to `alfa_md.train`; RUN_DIR is the run directory. Finished steps are skipped when run again.
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

RUN_DIR=${RUN_DIR:-$ROOT/runs/quickstart}
unset META_DATASET_RECORDS  # the quickstart uses the embedded data
install ""
"$VENV_PYTHON" -m alfa_md.train --gin_config="$ROOT/gin/proto_maml_alfa.gin" --gin_config="$ROOT/gin/quickstart.gin" \
    --run_dir="$RUN_DIR" "$@"
"$VENV_PYTHON" -m alfa_md.evaluate --run_dir="$RUN_DIR" --num_episodes=40 --baselines=untrained,pixel
echo "The run directory is $RUN_DIR"
