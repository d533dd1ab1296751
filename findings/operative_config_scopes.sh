#!/usr/bin/env bash
# gin-config 0.5.0: an override after a saved operative config does nothing where the parameter was used under a scope.
#
# Natural guess: `gin.operative_config_str()` is the configuration of a run; parsed again, with `f.rate = 2` after it, it
# gives the same run at rate 2, as the same override does after the files that the run was made from.
# Seen: the text has one binding for each scope in which a function was called, `train/f.rate = 1`, although nothing was
# bound under a scope. A scoped binding beats an unscoped one, so the override is accepted, and has no effect in
# the call. The guess holds only for functions called without a scope.
#
# Output seen:
#   in scope train, after the files and an override: 2
#   the operative config: train/f.rate = 1
#   in scope train, after the operative config and the same override: 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet gin-config==0.5.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import gin


@gin.configurable
def f(rate):
    return rate


def in_scope(*texts):
    gin.clear_config()
    gin.parse_config([line for text in texts for line in text.splitlines()])
    with gin.config_scope("train"):
        return f()


files, override = "f.rate = 1", "f.rate = 2"
direct = in_scope(files, override)
in_scope(files)
operative = gin.operative_config_str()
stored = in_scope(operative, override)
bindings = [line for line in operative.splitlines() if "=" in line and not line.startswith("#")]
print("in scope train, after the files and an override:", direct)
print("the operative config:", "; ".join(bindings))
print("in scope train, after the operative config and the same override:", stored)
assert (direct, bindings, stored) == (2, ["train/f.rate = 1"], 1), "the behaviour has changed"
PY
