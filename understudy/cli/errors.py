"""Where errors become one line on stderr and an exit code; the one table that says which."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from domain.errors import UnderstudyError, UserError
from understudy.cli.text import clean, one_line

if TYPE_CHECKING:
    from domain.secrets import Secrets

DONE, FAILED, USAGE, WAITS, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; failed, rejected or out of budget; usage; waits for a person; interrupted."""

EXIT_CODES: tuple[tuple[type[UnderstudyError], int], ...] = ((UserError, USAGE), (UnderstudyError, FAILED))
"""The first class that fits decides."""


class Group(TyperGroup):
    """A command group whose commands end in an exit code, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command inside the error edge."""
        with error_edge():
            return super().invoke(ctx)


@contextmanager
def error_edge() -> Iterator[None]:
    """Turn every error into one message on stderr and `typer.Exit` with its exit code."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, because a failure at the interpreter's end could not be told properly
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except UnderstudyError as error:
        raise _ended(str(error), exit_code(error)) from error
    except KeyboardInterrupt as error:
        raise _ended("interrupted", INTERRUPTED) from error
    except BrokenPipeError as error:
        _abandon_output()
        raise typer.Exit(FAILED) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _ended(_full(error), FAILED) from error
        raise _ended(_unexpected(error), FAILED) from error
    except Exception as error:  # the process edge: a person gets one line, the log file the traceback
        raise _ended(_unexpected(error), FAILED) from error


def exit_code(error: UnderstudyError) -> int:
    """Return the exit code of an error raised on purpose."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


def complain(message: str) -> None:
    """Print a message for a person on stderr."""
    typer.echo(f"understudy: {clean(message)}", err=True)


def _ended(message: str, code: int) -> typer.Exit:
    complain(message)
    return typer.Exit(code)


def _full(error: OSError) -> str:
    _abandon_output()
    where = f" ({error.filename})" if error.filename else ""
    return f"no space left on the device{where}; nothing finished is lost: make room, try again"


def _abandon_output() -> None:
    """Point stdout at nothing, so that the interpreter does not fail again when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


def _unexpected(error: Exception) -> str:
    summary = one_line(_secrets().text(f"unexpected {type(error).__name__}: {error}"), 300)
    try:
        path = _written_trace(error)
    except OSError as problem:
        return f"{summary} (the full trace could not be written: {problem.strerror})"
    return f"{summary}\nThe full trace is in {path}"


def _written_trace(error: Exception) -> Path:
    """Write the traceback to a new file that only this user can read."""
    import traceback

    folder = log_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(_secrets().text("".join(traceback.format_exception(error))))
    return path


def _secrets() -> "Secrets":
    """Return what must not be printed, also where the settings are broken."""
    from understudy.known_secrets import known_secrets
    from understudy.settings import load_settings

    try:
        return known_secrets(load_settings())
    except UnderstudyError:
        return known_secrets(None)


def log_folder() -> Path:
    """Return where traces go: `logs` in the data folder, or in its default place where the settings are broken."""
    from platformdirs import user_data_path

    from understudy.settings import load_settings

    try:
        return load_settings().home.expanduser() / "logs"
    except UnderstudyError:
        return user_data_path("understudy") / "logs"
