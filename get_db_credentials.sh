#!/usr/bin/env bash
# Shows how Codex reaches its database, password included; Helm's start.sh names this file to people.
set -euo pipefail
cd "$(dirname "$0")"
sed -n 's/^connection_string *[=:] *//p' instance/codex.conf
