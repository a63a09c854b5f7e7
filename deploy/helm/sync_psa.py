"""The later predecessor's `sync_psa.py`, with its arguments; Codex knows by itself how much of the tickets to read."""

import argparse
import subprocess
import sys

from run import HERE, become, link

parser = argparse.ArgumentParser()
parser.add_argument("--provider", default="freshservice", choices=["freshservice"])
parser.add_argument("--type", default="all", choices=["companies", "contacts", "agents", "base", "tickets", "all"])
parser.add_argument("--full-history", action="store_true")
for told in ["--all-providers", "--light", "--detail", "--force-reconcile"]:
    parser.add_argument(told, action="store_true", help="accepted, and without effect")
asked = parser.parse_args()

if asked.type == "all":
    code = subprocess.call([link(), "sync", "freshservice"], cwd=HERE)
    if code:
        sys.exit(code)
if asked.type in ("tickets", "all"):
    become(["sync", "tickets", *(["--full"] if asked.full_history else [])])
become(["sync", "freshservice"])
