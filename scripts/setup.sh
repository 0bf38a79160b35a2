#!/bin/sh
# Make .venv and install the locked packages and this project. Does nothing when the lock has not changed since.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.set-up
wanted=$(cat constraints.txt pyproject.toml scripts/setup.sh | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c 'import bulk_export' 2>/dev/null; then
    exit 0
fi

say() { printf '%s\n' "$*" >&2; }

# A name on PATH proves nothing: version managers leave shims that only print an error. So each candidate is run.
right_version() {
    "$1" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}
can_make_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

uv=
if uv --version >/dev/null 2>&1; then uv=uv; fi

python= without_venv=
for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
    right_version "$candidate" || continue
    if [ -n "$uv" ] || can_make_venv "$candidate"; then
        python=$candidate
        break
    fi
    without_venv=$candidate
done
if [ -z "$python" ]; then
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$without_venv (Python $version) cannot make virtual environments: ensurepip is missing."
        say "On Debian or Ubuntu: sudo apt-get install python$version-venv. Then run make setup again."
    else
        say "No Python 3.11, 3.12 or 3.13 that runs was found on PATH."
        say "Debian, Ubuntu: sudo apt-get install python3 python3-venv. macOS: brew install python@3.13. Anywhere: uv python install 3.13."
        say "Or name one: make setup PYTHON=/path/to/python3.12"
    fi
    exit 1
fi

started=$(date +%s)
say "Setting up .venv with $("$python" --version) ..."
if ! right_version .venv/bin/python; then
    rm -rf .venv
    if [ -n "$uv" ]; then "$uv" venv --quiet --python "$python" .venv; else "$python" -m venv .venv; fi
fi
if [ -z "$uv" ]; then
    uv=.venv/bin/uv
    # pip is only needed once: it installs uv, at the version and with the hashes of the lock.
    awk '/^uv==/ { uv = 1; print; next } uv && /^ / { print; next } { uv = 0 }' constraints.txt >.venv/uv-lock.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv-lock.txt
fi

# --compile-bytecode: without it, and with PYTHONDONTWRITEBYTECODE set, every Airflow process starts seconds slower.
rm -f "$stamp"
"$uv" pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r constraints.txt
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --compile-bytecode -e .
printf '%s\n' "$wanted" >"$stamp"
say "Set up in $(($(date +%s) - started)) s."
