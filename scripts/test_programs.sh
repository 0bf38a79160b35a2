#!/bin/sh
# Install the programs that tests need and `make setup` cannot bring: Debian's packages, where root may, and Azurite from
# npm. Installs what is missing and nothing else. Where something cannot be had, its tests are skipped and say so.
set -u
cd "$(dirname "$0")/.."

# A registry that never answers must not hold up the tests.
limit=
if command -v timeout >/dev/null 2>&1; then limit="timeout 300"; fi

packages=
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need chromium chromium
need redis-server redis-server
need psql postgresql-client
need xmllint libxml2-utils
need ffprobe ffmpeg
need soffice libreoffice-calc-nogui
need cc "gcc libc6-dev"

if [ -n "$packages" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        # shellcheck disable=SC2086  # a list of names
        { $limit apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive $limit apt-get install -qq -y --no-install-recommends $packages; } >/dev/null ||
            echo "Not installed:$packages" >&2
    else
        echo "Missing, and to be installed by whoever may:$packages" >&2
    fi
fi

# Below .venv, so that it goes with it; tests/servers.py looks there.
if ! command -v azurite-blob >/dev/null 2>&1 && [ ! -x .venv/node/node_modules/.bin/azurite-blob ]; then
    if command -v npm >/dev/null 2>&1; then
        $limit npm install --prefix .venv/node --no-audit --no-fund --loglevel=error azurite@3 >/dev/null ||
            { rm -rf .venv/node && echo "Not installed: azurite" >&2; } # half of it would be taken for the whole
    fi
fi
