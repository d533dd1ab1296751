#!/usr/bin/env bash
# Creates or reuses .venv at the repository root and installs alfa_md with the named extras ("" for none), once per set of versions.
# Run it (`scripts/install.sh tf,plot`) or source it and call `install EXTRAS`; afterwards $VENV_PYTHON is the Python to use.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV_PYTHON=$ROOT/.venv/bin/python
# TensorFlow 2.21 has wheels for these versions.
SUPPORTED='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'

die() {
    echo "error: $*" >&2
    exit 2
}

find_python() {
    local candidate candidates=(python3 python3.13 python3.12 python3.11 python3.10)
    [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        if "$candidate" -c "$SUPPORTED" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    die "Python 3.10 to 3.13 is needed and ${candidates[*]} gave none; install one or name it: PYTHON=/path/to/python $0"
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$python cannot make virtual environments; install its venv module (on Debian and Ubuntu: apt install python3-venv)"
    "$python" -m venv "$ROOT/.venv"
}

# What an installation depends on, as one hash: the place, the Python, the ranges and the tested versions.
fingerprint() {
    "$VENV_PYTHON" - "$ROOT" <<'PY'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
parts = [str(root).encode(), sys.version.encode()] + [(root / f).read_bytes() for f in ("setup.cfg", "constraints.txt")]
print(hashlib.sha256(b"\0".join(parts)).hexdigest())
PY
}

install() {
    local extras=$1 stamps=$ROOT/.venv/alfa_md.stamps hash
    unset PYTHONHOME PYTHONPATH
    "$VENV_PYTHON" -m pip --version >/dev/null 2>&1 || make_venv
    "$VENV_PYTHON" -c "$SUPPORTED" ||
        die "$ROOT/.venv has a Python outside 3.10 to 3.13; delete that folder and run this again"
    hash=$(fingerprint)
    if grep -qxF "$hash $extras" "$stamps" 2>/dev/null; then
        return
    fi
    echo "Installing alfa_md${extras:+[$extras]} into $ROOT/.venv"
    "$VENV_PYTHON" -m pip install --editable "$ROOT${extras:+[$extras]}" --constraint "$ROOT/constraints.txt"
    # Extras installed with the same hash stay valid; those of another hash do not.
    { grep -F "$hash " "$stamps" 2>/dev/null || true; echo "$hash $extras"; } > "$stamps.new"
    mv "$stamps.new" "$stamps"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    install "${1-all}"
fi
