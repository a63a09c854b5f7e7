#!/usr/bin/env bash
# Installs Codex as a service of Helm, in this folder (../hivematrix-codex beside ../hivematrix-helm).
# Safe to run again. Uses a ready-made binary when there is one:
#   CODEX_BINARY=/path/to/codex bash install.sh
# and builds one otherwise, which takes about seven minutes on two cores. Helm waits five: if it gives
# up, run this by hand; the build goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")"
umask 077

python=$(command -v python3) || { echo "python3 is needed, because Helm starts services with it" >&2; exit 1; }

installed=$(readlink -f bin/codex-gunicorn 2>/dev/null || true)
built=$PWD/target/release/codex
if [ -n "${CODEX_BINARY:-}" ]; then
    binary=$(realpath "$CODEX_BINARY")
elif [ -n "$installed" ] && [ "$installed" != "$built" ] && [ -x "$installed" ]; then
    binary=$installed # as given the last time
else
    if command -v cargo >/dev/null; then
        echo "Building Codex …"
        cargo build --release --locked --features postgres
    fi
    binary=$built
fi
[ -x "$binary" ] || { echo "neither a binary (CODEX_BINARY=…) nor cargo to build one" >&2; exit 1; }

mkdir -p bin instance pyenv/bin
chmod 700 instance
ln -sfn "$binary" bin/codex-gunicorn
ln -sfn codex-gunicorn bin/codex
# Helm asks for this file and runs it with run.py; nothing is installed into it.
[ -e pyenv/bin/python ] || ln -s "$python" pyenv/bin/python
cp deploy/helm/run.py run.py

if [ ! -e .flaskenv ]; then
    cat >.flaskenv <<'EOF'
FLASK_APP=run.py
FLASK_ENV=production
SERVICE_NAME=codex
CORE_SERVICE_URL=http://localhost:5000
HELM_SERVICE_URL=http://localhost:5004
EOF
fi
if [ -d ../hivematrix-helm ] && [ ! -e services.json ]; then
    ln -s ../hivematrix-helm/services.json services.json
fi

bin/codex migrate
echo "Installed. Helm starts it; by hand: pyenv/bin/python run.py"
