"""Asking a person: one line at a time from stdin, or a longer text in their editor."""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

Read = Callable[[str], str]
"""Shows a prompt and returns one line; `EOFError` when nobody answers any more."""


def is_interactive() -> bool:
    """Return whether a person can be asked: they see stderr and type into stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def read_line(prompt: str) -> str:
    """Return the next line of stdin, without its end; a person gets the prompt and can edit the line."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")
    if sys.stdout.isatty():
        import readline  # noqa: F401 - its import gives `input` editing and history

        return input(prompt)
    typer.echo(prompt, nl=False, err=True)
    return input()


def complete_with(words: Sequence[str]) -> None:
    """Have the line reader complete these words at the beginning of a line, where a person types."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    import readline

    def completed(text: str, number: int) -> str | None:
        begun = readline.get_line_buffer()[: readline.get_endidx()]
        fitting = [f"{word} " for word in words if word.startswith(text)] if text == begun.lstrip() and text else []
        return fitting[number] if number < len(fitting) else None

    readline.set_completer_delims(" \t\n")
    readline.set_completer(completed)
    readline.parse_and_bind("tab: complete")


@contextmanager
def lines_typed(take: Callable[[str], None]) -> Iterator[None]:
    """Have `take` told of each line that a person types while the block works; what a program sends is left alone."""
    if not is_interactive():
        yield
        return
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        # Not the stream: what it has read ahead would be lost to whoever asks next.
        line = os.read(number, 4096)
        if not line:  # the end of the input; the next question finds it, too
            loop.remove_reader(number)
        take(line.decode(errors="replace").strip())

    loop.add_reader(number, read)
    try:
        yield
    finally:
        loop.remove_reader(number)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Show a bar on stderr to a waiting person, and give what moves it to a number, and to another total."""
    if not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from understudy.cli.screen import console

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, total=None: bar.update(task, completed=done, total=total)


def edited_in_editor(text: str) -> str:
    """Return the text as the person leaves it in `$VISUAL` or `$EDITOR`, or unchanged where there is no editor."""
    command = _editor()
    if command is None:
        typer.echo("no editor found: set EDITOR", err=True)
        return text
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        path = Path(folder, "text.md")
        path.write_text(text, encoding="utf-8")
        finished = subprocess.run([*command, str(path)], check=False)
        if finished.returncode:
            typer.echo(f"the editor ended with code {finished.returncode}; the text stays as it was", err=True)
            return text
        return path.read_text(encoding="utf-8", errors="replace")


def _editor() -> list[str] | None:
    if named := os.environ.get("VISUAL") or os.environ.get("EDITOR"):
        return shlex.split(named)
    found = next(filter(None, map(shutil.which, ("sensible-editor", "nano", "vi"))), None)
    return [found] if found else None
