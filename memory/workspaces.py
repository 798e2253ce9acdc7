"""The one rule for workspace names; a name that passes is safe in keys, logs and file names."""

import re

from domain.errors import InvalidWorkspace

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAME = re.compile(NAME)


def checked_workspace(name: str) -> str:
    """Return the name, or raise `InvalidWorkspace`."""
    if not _NAME.fullmatch(name):
        msg = (
            f"{name!r:.80} is no workspace name: it starts with a letter or digit, goes on with letters, digits,"
            " '.', '_' or '-', and has at most 64 characters"
        )
        raise InvalidWorkspace(msg)
    return name
