import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from understudy.cli.markdown import Table, parts, print_markdown
from understudy.cli.slash import NAMES

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "What does net generation mean?"
BRIEF = "Write a brief about wind power in Iowa"


def chat(understudy: Invoke, *lines: str, options: tuple[str, ...] = ()) -> Result:
    result = understudy("chat", "--data", ENERGY, *options, input="".join(f"{line}\n" for line in lines))
    assert result.exit_code == 0, result.output
    return result


def test_conversations_are_listed_switched_renamed_and_exported(understudy: Invoke, tmp_path: Path) -> None:
    result = chat(
        understudy, QUESTION, "/rename What it *means*", "/new", "/threads", "hello", "/threads", "/switch 2", "/plan",
        "/export out.md", "/export", "/export no/such/folder.md", "/switch what it *MEANS*", "/switch nowhere",
        "/trace",
    )  # fmt: skip
    listed = [line for line in result.stderr.splitlines() if line[:2] in ("*1", " 1", "*2", " 2")]
    assert [line[:2] for line in listed] == [" 1", "*1", " 2"]
    assert ["What it *means*" in line for line in listed] == [True, False, True]
    assert result.stderr.count("in 'What it *means*' (") == 2
    assert "plan      newly planned" in result.stderr.partition("in 'What it *means*'")[2]
    assert "understudy: name a file: /export FILE" in result.stderr
    assert "no/such/folder.md cannot be written" in result.stderr
    assert "'nowhere' names no conversation; /threads lists them" in result.stderr
    assert result.stderr.count("run ") and "critique" in result.stderr
    assert (tmp_path / "out.md").read_text().startswith("# What it \\*means\\*\n")


def test_the_last_run_is_rated_asked_about_and_undone(understudy: Invoke, tmp_path: Path) -> None:
    result = chat(
        understudy, "/ask why?", "/rate 5", BRIEF, "a", "/ask what have you changed?", "/rate 2 It names no sources.",
        "/rate 9", "/rate x", "/memory wind", "/memory", "/undo", options=("--out", "out"),
    )  # fmt: skip
    assert result.stderr.count("nothing was begun in this conversation yet") == 2
    assert "write_file in step deliver" in result.stderr
    assert "the task now stands at 0 of 1 runs" in result.stderr
    assert result.stderr.count("a rating is a number from 1") == 2
    assert "alike)" in result.stderr and "0 of 1 succeeded" in result.stderr
    assert result.stdout.rstrip().splitlines()[-1].startswith("undone")
    assert not list(tmp_path.glob("out/*"))


def test_what_a_person_asks_before_they_decide_is_answered_and_they_decide_then(
    understudy: Invoke, tmp_path: Path
) -> None:
    result = chat(
        understudy, BRIEF, "why do you ask me?", "/ask can it be undone?", "nonsense", "a", options=("--out", "out")
    )
    assert "answer" in result.stderr and "before_writing" in result.stderr
    assert "Taking it back is possible" in result.stderr
    assert "'nonsense' is not an answer" in result.stderr
    assert len(list(tmp_path.glob("out/*"))) == 1


def test_a_question_typed_while_the_decision_is_left_open_is_answered(understudy: Invoke, tmp_path: Path) -> None:
    result = chat(understudy, BRIEF, "q", "what will it cost?", "yes", options=("--out", "out"))
    assert "So far:" in result.stderr
    assert "the question stays open. Go on with: /resume" in result.stderr
    assert len(list(tmp_path.glob("out/*"))) == 1


@pytest.mark.parametrize(("typed", "near"), [("/thread", "/threads"), ("/hlep", "/help"), ("/exprt x", "/export")])
def test_an_unknown_command_is_told_with_the_nearest(understudy: Invoke, typed: str, near: str) -> None:
    assert f"{typed!r} is not a command; did you mean {near}? /help lists them" in chat(understudy, typed).stderr


def test_help_lists_every_command(understudy: Invoke) -> None:
    told = chat(understudy, "/help").stderr
    assert all(name in told for name in NAMES)
    rows = [line for line in told.splitlines() if line.startswith("/")]
    assert len(rows) == len(NAMES) and max(map(len, rows)) <= 90


def test_a_conversation_is_exported_from_the_shell(understudy: Invoke, tmp_path: Path) -> None:
    chat(understudy, "hello", options=("--thread", "mine"))
    shown = understudy("export", "mine")
    written = understudy("export", "mine", "--file", "mine.md")
    assert (shown.exit_code, written.exit_code, written.stdout) == (0, 0, "")
    assert shown.stdout == (tmp_path / "mine.md").read_text()
    missing = understudy("export", "nowhere")
    assert missing.exit_code != 0 and "nowhere" in missing.stderr


WIDE = """# Halls

Some **text** with ![a plot](out/plot.png), and ![](x.svg).

| year | source | net generation in thousand megawatt hours | note |
|---|:---|---:|---|
| 2001 | Fossil | 35,361 | A long note that has to be folded somewhere in the middle of it, and goes on and on |
| 2002 | `Wind` | **1** |

| a | b |
| - | - |
| 1 | 2 \\| 3 |
The end.
"""


@pytest.mark.parametrize("width", [80, 60, 40])
def test_tables_and_images_are_readable_at_any_width(width: int) -> None:
    out = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    print_markdown(out, WIDE)
    shown = out.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    assert "(image “a plot”: out/plot.png)" in words and "(image: x.svg)" in words
    assert all(text in words for text in ("35,361", "Fossil", "2 | 3", "Wind", "The end."))
    assert "**" not in shown and "| ---" not in shown


def test_what_looks_like_a_table_in_code_stays_code() -> None:
    code = "~~~\n| a | b |\n| - | - |\n```\n| 1 | 2 |\n~~~"
    assert list(parts(code)) == [code]
    assert list(parts(f"{code}\n| a |\n| - |\n| 1 |\n| 2 | 3 |")) == [code, Table(["a"], [["1"], ["2"]])]


@pytest.mark.parametrize("text", ["| a | b |\n| - |\n| 1 |", "a | b\nc | d", "|", "| a |", "", "a\n-|-\n"])
def test_what_is_no_table_stays_text(text: str) -> None:
    assert not any(isinstance(part, Table) for part in parts(text))
