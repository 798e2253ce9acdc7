"""What a person is told to type next."""

import os
import shlex
import shutil
import sys


def program() -> str:
    """Return what to type for this command: its name where the shell finds it, else the path it was called by."""
    called = sys.argv[0]
    if os.path.basename(called) != "understudy" or shutil.which("understudy"):
        return "understudy"
    return shlex.quote(os.path.relpath(called))


def resume_command(thread: str, workspace: str) -> str:
    """Return what has a thread go on."""
    return f"{program()} resume {_named(thread, workspace)}"


def inbox_command(thread: str, workspace: str) -> str:
    """Return what shows the open question of a thread."""
    return f"{program()} inbox show {_named(thread, workspace)}"


def _named(thread: str, workspace: str) -> str:
    other = "" if workspace == "default" else f" --workspace {shlex.quote(workspace)}"
    return f"{shlex.quote(thread)}{other}"
