"""Helm starts every service as `python run.py`: this one becomes the Codex binary, under the same process id."""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
# Helm finds a running service by a process name that contains "gunicorn" or "python".
binary = os.path.join(here, "bin", "codex-gunicorn")
if not os.path.exists(binary):
    sys.exit("The Codex binary is not installed: run `bash install.sh` in " + here)
os.chdir(here)
os.execv(binary, [binary, "serve"] + sys.argv[1:])
