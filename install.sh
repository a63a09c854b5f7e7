#!/usr/bin/env bash
# Installs Codex as a service of Helm, in this folder (../hivematrix-codex beside ../hivematrix-helm).
# Safe to run again. It uses a ready-made binary: CODEX_BINARY=/path/to/codex, `codex` beside this file,
# one built here before, or `codex` on the PATH. It builds one only when told (Helm waits five minutes,
# a build takes longer):
#   CODEX_BUILD=1 bash install.sh
# The database is not touched: Helm calls init_db.py next, and the server migrates when it starts.
set -euo pipefail
cd "$(dirname "$0")"
umask 077

command -v python3 >/dev/null || { echo "python3 is needed, because Helm starts services with it" >&2; exit 1; }
if [ "${CODEX_BUILD:-}" = 1 ]; then
    command -v cargo >/dev/null || { echo "CODEX_BUILD=1 needs cargo (https://rustup.rs)" >&2; exit 1; }
    echo "Building Codex …"
    cargo build --release --locked --features postgres
    rm -f bin/codex-gunicorn
    [ -n "${CODEX_BINARY:-}" ] || export CODEX_BINARY=$PWD/target/release/codex
fi
binary=$(python3 -c 'import run; print(run.link())')
ln -sfn codex-gunicorn bin/codex
# Crontabs of the Python predecessors call these. Copies: Python would look for run.py beside what a link leads to.
cp deploy/helm/*.py .

mkdir -p instance
chmod 700 instance
# Helm asks for this environment, activates it and runs run.py with it; Codex installs nothing into it.
# Without the system's python3-venv package it has no pip, which only Helm's own `install` asks for.
if [ ! -e pyenv/bin/activate ]; then
    python3 -m venv pyenv >/dev/null 2>&1 || python3 -m venv --without-pip pyenv
fi

if [ ! -e .flaskenv ]; then
    cat >.flaskenv <<'EOF'
FLASK_APP=run.py
FLASK_ENV=production
SERVICE_NAME=codex
CORE_SERVICE_URL=http://localhost:5000
HELM_SERVICE_URL=http://localhost:5004
EOF
fi
# Helm's list of services, which its start.sh writes after this only; without Helm the one that came with the source. Helm
# copies its own over whatever else is there at every start, so none is in the repository, or no pull would go through.
if [ -d ../hivematrix-helm ]; then
    ln -sfn ../hivematrix-helm/services.json services.json
elif [ ! -e services.json ]; then
    cp deploy/helm/services.json services.json
fi

echo "Installed $("$binary" --version). Helm sets up the database and starts it; by hand: pyenv/bin/python run.py"
