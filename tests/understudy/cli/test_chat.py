import re
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "What does net generation mean?"
BRIEF = "Write a brief about wind power in Iowa"


def chat(understudy: Invoke, *lines: str, options: tuple[str, ...] = ()) -> Result:
    return understudy("chat", "--data", ENERGY, *options, input="".join(f"{line}\n" for line in lines))


def test_the_greeting_says_who_plays_and_how_to_leave(understudy: Invoke) -> None:
    result = chat(understudy)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "team      documents, workspace default, 0 remembered task(s)",
        "mode      no model configured: rule-based understudies are playing",
        f"data      {ENERGY}",
        "out       none (--out DIR lets the team write files)",
        "          type a goal, /help for help, /quit to leave",
    ]


def test_a_goal_is_answered_and_explained(understudy: Invoke) -> None:
    result = chat(understudy, "", QUESTION, "/why", "/plan", "/quit", "never read")
    assert result.exit_code == 0
    assert "net generation" in result.stdout.lower()
    after = result.stderr.rpartition("route: ")[2]
    assert "band      plan" in after
    assert "plan      newly planned" in after


def test_the_second_goal_goes_on_in_the_same_thread(understudy: Invoke) -> None:
    chat(understudy, QUESTION, "/new", QUESTION, options=("--thread", "mine"))
    result = chat(understudy, "/why", options=("--thread", "mine"))
    assert "route:    newly planned" in result.stderr


def test_questions_are_answered_in_between(understudy: Invoke, tmp_path: Path) -> None:
    result = chat(understudy, BRIEF, "e", "mine.md", "", "/quit", options=("--out", "out"))
    assert result.exit_code == 0
    assert [path.name for path in tmp_path.glob("out/*")] == ["mine.md"]


def test_an_open_question_comes_again(understudy: Invoke, tmp_path: Path) -> None:
    left = chat(understudy, BRIEF, "q", "/resume", "q", options=("--out", "out", "--thread", "mine"))
    assert left.stderr.count("decide    write_file") == 2
    assert "understudy: waits for a person. Go on with: /resume" in left.stderr
    chat(understudy, "a", options=("--thread", "mine"))
    assert len(list(tmp_path.glob("out/*"))) == 1


def test_errors_do_not_end_the_session(understudy: Invoke) -> None:
    result = chat(understudy, "\x00\x01\x02\x03", "/nonsense", "/why", "/plan", "/resume", QUESTION)
    assert result.exit_code == 0
    assert "understudy: the goal is not readable text\n" in result.stderr
    assert "'/nonsense' is not a command; /help lists them" in result.stderr
    assert "nothing was routed yet" in result.stderr
    assert re.search("net generation", result.stdout, re.IGNORECASE)


def test_help_lists_the_commands(understudy: Invoke) -> None:
    help_text = chat(understudy, "/help").stderr
    assert all(name in help_text for name in ("/help", "/new", "/why", "/plan", "/resume", "/quit"))
