"""Helm starts every service as `python run.py`: this one becomes the Codex binary, under the same process id."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Helm finds a running service by a process name that contains "gunicorn" or "python", and stops what is
# left over by a command line that contains "hivematrix-codex": the binary is started by this link.
LINK = os.path.join(HERE, "bin", "codex-gunicorn")
NONE = """No Codex binary was found. Give one of these:
  a built binary at {here}/codex, or as `codex` on the PATH
  CODEX_BINARY=/path/to/codex in the environment
  CODEX_BUILD=1 bash install.sh, which builds one here (cargo is needed; minutes, not seconds)"""


def is_program(path):
    return bool(path) and os.path.isfile(path) and os.access(path, os.X_OK)


def on_path():
    """`codex` from the PATH, unless it is a program of another maker."""
    path = shutil.which("codex")
    if not is_program(path):
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return path if len(said) == 2 and said[0] == "codex" else None


def find():
    """Where the binary is: as told, beside this file, as linked before, built here, on the PATH."""
    told = os.environ.get("CODEX_BINARY")
    if told:
        if not is_program(told):
            sys.exit(f"CODEX_BINARY={told} is not a program")
        return os.path.realpath(told)
    beside = [os.path.join(HERE, *place) for place in (["codex"], ["bin", "codex-gunicorn"], ["target", "release", "codex"])]
    found = next(filter(is_program, beside), None) or on_path()
    if found is None:
        sys.exit(NONE.format(here=HERE))
    return os.path.realpath(found)


def link():
    """The link to start the binary by, made or mended."""
    binary = find()
    if os.path.realpath(LINK) != binary:
        os.makedirs(os.path.dirname(LINK), exist_ok=True)
        new = f"{LINK}.{os.getpid()}"
        os.symlink(binary, new)
        os.replace(new, LINK)
    return LINK


def become(arguments):
    """Codex with these arguments, in this folder, in place of this process."""
    program = link()
    os.chdir(HERE)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    become(["serve", *sys.argv[1:]])
