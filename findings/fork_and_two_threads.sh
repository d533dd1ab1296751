#!/usr/bin/env bash
# torch 2.13.0: in a forked process the first operations of two threads at the same time can raise "Invalid thread pool".
#
# Natural guess: after a fork PyTorch makes its pool of threads anew when it is first needed, under a lock, so that a
# child may start threads that compute; DataLoader's workers are forks, and compute.
# Seen: a parent that has used its pool forks; the child starts eight threads, each of which calls one small operation.
# In about every sixth child a thread finds the pool taken away and not yet made: RuntimeError with an internal assertion.
# `torch.set_num_threads(torch.get_num_threads())` in the child before it starts its threads makes the pool anew, and no
# child fails. (DataLoader's workers call set_num_threads first.)
#
# Output seen (2 cores; the first number varies, 48 to 121 were seen):
#   children that failed: 58 of 300
#   after set_num_threads in the child: 0 of 300
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import threading

import torch

assert torch.__version__.startswith("2.13.0"), torch.__version__
CHILDREN, THREADS = 300, 8


def child(renews: bool) -> None:
    together, errors = threading.Barrier(THREADS), []
    if renews:
        torch.set_num_threads(torch.get_num_threads())

    def compute():
        together.wait()
        try:
            torch.arange(3).repeat_interleave(torch.tensor([1, 2, 3]))
        except RuntimeError as error:
            errors.append("Invalid thread pool" in str(error))

    threads = [threading.Thread(target=compute) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(1 if any(errors) else 0)


def failed(renews: bool) -> int:
    codes = []
    for _ in range(CHILDREN):
        pid = os.fork()
        if not pid:
            child(renews)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return sum(code == 1 for code in codes)


torch.set_num_threads(2)
torch.ones(2**20).sum()
without, renewed = failed(False), failed(True)
print(f"children that failed: {without} of {CHILDREN}")
print(f"after set_num_threads in the child: {renewed} of {CHILDREN}")
assert without > 0 and renewed == 0, "the behaviour has changed"
PY
