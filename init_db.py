"""Helm sets up a service's database with `python init_db.py --headless --db-host …`: that is `codex init-db` here."""

import os
import sys

from run import become


def without_password(arguments):
    """The arguments, with the password moved to the environment, out of sight of the list of processes."""
    rest = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--db-password":
            os.environ["PGPASSWORD"] = value if equals else next(words, "")
        else:
            rest.append(word)
    return rest


if __name__ == "__main__":
    become(["init-db", *without_password(sys.argv[1:])])
