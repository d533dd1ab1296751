#!/usr/bin/env bash
# A training run on one node with four GPUs under Slurm: sbatch scripts/slurm.sh RUN_DIR RECORDS
# Three minutes before the time limit the run is saved and the job requeued, until the run is complete.
#SBATCH --job-name=alfa_md
#SBATCH --nodes=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@180
#SBATCH --requeue
set -uo pipefail

stopped=''
trap 'stopped=yes; kill -TERM $(jobs -p)' TERM # by its jobs: the signal may come before the line after srun
# torchrun would kill its processes 30 s after the signal; they have until shortly before the job's limit.
# With one episode an update three processes would wait; four episodes an update are another run than one.
srun .venv/bin/torchrun --standalone --nproc_per_node=4 --shutdown-timeout=170 -m alfa_md.train \
    --gin_config=gin/proto_maml_alfa.gin --gin_bindings='train.episodes_per_step = 4' \
    --run_dir="$1" --records_root_dir="$2" --device=cuda &
step=$!
wait "$step"
code=$?
if [[ $stopped ]]; then
    wait "$step" # the first wait ended with the signal, not with the run
    exec scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
