import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
import typer.main
from typer.core import TyperGroup
from typer.testing import Result

from domain.errors import InvalidGoal, LimitReached, ModelUnavailable, StorageBusy, UserError
from understudy.cli.errors import error_edge, exit_code
from understudy.cli.hints import program
from understudy.cli.main import app

Invoke = Callable[..., Result]
ROOT = Path(__file__).parents[3]
HEAVY = [
    "langgraph",
    "langchain_core",
    "chromadb",
    "sklearn",
    "duckdb",
    "pydantic",
    "pydantic_settings",
    "rich.markdown",
]


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, json; from understudy.cli.main import app; app(['--help'], standalone_mode=False); "
        f"print('\\n', json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(out.splitlines()[-1]) == []


@pytest.mark.parametrize("command", [[], ["run"], ["resume"], ["route"], ["chat"], ["team"], ["memory"], ["status"]])
def test_every_command_explains_itself(command: list[str], understudy: Invoke) -> None:
    result = understudy(*command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def commands(group: TyperGroup | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return every command and group of commands."""
    found = group or typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    for name, command in found.commands.items():
        yield (*path, name)
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_every_help_has_examples_and_cuts_no_line(
    command: tuple[str, ...], understudy: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    result = understudy(*command, "--help")
    assert result.exit_code == 0
    assert f"  understudy {' '.join(command)}" in result.stdout.partition("Examples:")[2] or not command
    listed = result.stdout.partition("Commands:")[2].partition("Examples:")[0]
    assert "..." not in listed


@pytest.mark.parametrize("args", [["performance", "--png"], ["memory", "export"]])
def test_a_file_that_cannot_be_written_is_a_usage_error(args: list[str], understudy: Invoke, tmp_path: Path) -> None:
    result = understudy(*args, "nowhere/file")
    assert result.exit_code == 2
    assert f"there is no folder '{tmp_path / 'nowhere'}'" in result.stderr


def test_the_version(understudy: Invoke) -> None:
    result = understudy("--version")
    assert (result.exit_code, result.stdout.split()[0].rstrip(",")) == (0, "understudy")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", ""], "understudy: the goal is empty; say in a sentence what should be done\n"),
        (["run", "x", "--data", "nowhere"], "Invalid value for '--data': dir 'nowhere' does not exist."),
        (["run", "x", "--decide", "nowhere"], "Invalid value for '--decide': file 'nowhere' does not exist."),
        (["run"], "Missing argument 'GOAL'."),
        (["rum"], "No such command 'rum'."),
        (["route", "   "], "understudy: the goal is empty; say in a sentence what should be done\n"),
    ],
    ids=["empty", "data", "decide", "no-goal", "command", "blank"],
)
def test_usage_errors_end_with_2(args: list[str], message: str, understudy: Invoke) -> None:
    result = understudy(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (b"\xff\xfe\x00binary", "the goal on stdin is not UTF-8 text (byte 0)"),
        (b"\x00\x01\x02" * 50, "the goal is not readable text"),
        (b"a" * 1_000_000, "the goal has 1,000,000 characters; at most 20,000 fit. Put long material into a file"),
    ],
    ids=["not-utf8", "junk", "1MB"],
)
def test_a_bad_goal_on_stdin_ends_with_2(goal: bytes, message: str, understudy: Invoke) -> None:
    result = understudy("run", "-", input=goal)
    assert (result.exit_code, result.stderr, result.stdout) == (2, f"understudy: {message}\n", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserError(), 2), (InvalidGoal(), 2), (ModelUnavailable(), 1), (StorageBusy(), 1), (LimitReached(), 1)],
    ids=lambda value: type(value).__name__,
)
def test_errors_have_exit_codes(error: UserError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (StorageBusy("in use by 42\x1b[2J"), 1, "understudy: in use by 42\n"),
        (KeyboardInterrupt(), 130, "understudy: interrupted\n"),
        (
            OSError(28, "No space left", "/data/x"),
            1,
            "understudy: no space left on the device (/data/x); nothing finished is lost: make room, try again\n",
        ),
    ],
    ids=["storage", "ctrl-c", "disk-full"],
)
def test_the_edge_says_one_thing(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, error_edge():
        raise error
    assert (ended.value.exit_code, capsys.readouterr().err) == (code, message)


def test_an_unexpected_error_leaves_its_trace_in_a_private_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, error_edge():
        raise ZeroDivisionError("boom")
    (log,) = (home / "logs").iterdir()
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == (f"understudy: unexpected ZeroDivisionError: boom\nThe full trace is in {log}\n")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "ZeroDivisionError: boom" in log.read_text()


def test_a_trace_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "file"))
    with pytest.raises(typer.Exit), error_edge():
        raise ZeroDivisionError("boom")
    assert "(the full trace could not be written: Not a directory)" in capsys.readouterr().err


def _shell(line: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    script = line.replace("understudy", f"{sys.executable} -m understudy")
    return subprocess.run(["bash", "-o", "pipefail", "-c", script], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("understudy team show marketing | head -0", 1, ""),
        (
            "understudy team list >/dev/full",
            1,
            "understudy: no space left on the device; nothing finished is lost: make room, try again\n",
        ),
        (
            "understudy team list >&-",
            2,
            "understudy: standard output is closed: send it to a file or a pipe\n",
        ),
        ("understudy team list <&- >/dev/null 2>&-", 0, ""),
    ],
    ids=["broken-pipe", "full", "closed", "only-stdout"],
)
def test_output_that_goes_nowhere(line: str, code: int, message: str) -> None:
    done = _shell(line)
    assert (done.returncode, done.stderr) == (code, message)


@pytest.mark.parametrize(
    ("called", "path", "shown"),
    [
        ("bin/understudy", "", "bin/understudy"),
        ("bin/understudy", "bin", "understudy"),
        ("__main__.py", "", "understudy"),
    ],
    ids=["off the path", "on the path", "as a module"],
)
def test_hints_name_the_command_as_it_can_be_typed(
    called: str, path: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "bin" / "understudy"
    command.parent.mkdir()
    command.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / path) if path else "/nowhere")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / called)])
    assert program() == shown


def groups(command: object, *names: str) -> Iterator[list[str]]:
    """Yield the names of every command that has commands, from the top."""
    if isinstance(command, TyperGroup):
        yield list(names)
        for name, known in command.commands.items():
            yield from groups(known, *names, name)


@pytest.mark.parametrize("names", list(groups(typer.main.get_command(app))), ids=" ".join)
def test_no_line_of_a_list_of_commands_is_cut(
    names: list[str], understudy: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = understudy(*names, "--help").stdout
    assert "Commands:" in listed
    assert [line for line in listed.partition("Commands:")[2].splitlines() if line.endswith("...")] == []
