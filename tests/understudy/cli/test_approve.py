import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from domain.approvals import ActionRequest
from domain.effects import KeptEffect, settle_request
from domain.errors import InvalidDecision
from understudy.cli.approve import DecisionFile, Person, approve_all, read_decisions

WRITE = ActionRequest(
    id="save",
    name="write_file",
    args={"path": "brief.md", "text": "one\ntwo\n", "copies": 1},
    types={"path": "string", "text": "string", "copies": "integer"},
    checkpoint="before_write",
    description="writer is about to call write_file",
)
REVIEW = ActionRequest(id="result", name="review_result", args={"text": "t"}, description="the answer is ready")


SETTLE = settle_request(KeptEffect(key="k", step="save", tool="send", args={"to": "ann"}, claim="c", claimed=1.0))


def reader(*lines: str) -> Callable[[str], str]:
    """Return a reader of these lines that then has no more."""
    left: Iterator[str] = iter(lines)

    def read(_: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return read


def person(*lines: str, edit: Callable[[str], str] = lambda text: text) -> Person:
    return Person(Console(file=io.StringIO(), width=100), reader(*lines), edit)


def shown(asked: Person) -> str:
    file = asked.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["a"], {"type": "approve"}),
        (["APPROVE"], {"type": "approve"}),
        (["yes"], {"type": "approve"}),
        (["r", ""], {"type": "reject", "message": ""}),
        (["r", "too long"], {"type": "reject", "message": "too long"}),
        (["no, because it is wrong"], {"type": "reject", "message": "because it is wrong"}),
        (["m", "mention the year"], {"type": "respond", "message": "mention the year"}),
        (["m", "", "a"], {"type": "approve"}),
        (["e", "short.md", ""], {"type": "edit", "args": {"path": "short.md"}}),
        (["e", "", "2"], {"type": "edit", "args": {"copies": 2}}),
        (["e", "", "", "a"], {"type": "approve"}),
        (["e", "", "two", "a"], {"type": "approve"}),
        (["?", "", "a"], {"type": "approve"}),
    ],
    ids=[
        "a", "word", "yes", "reject", "reject-why", "no-because", "message", "empty-message", "edit-text",
        "edit-number",
        "edit-nothing", "edit-bad-number", "not-an-answer",
    ],
)  # fmt: skip
def test_a_person_answers(lines: list[str], answer: dict[str, Any]) -> None:
    assert person(*lines)([WRITE]) == [answer]


@pytest.mark.parametrize("lines", [[], ["q"], ["e"], ["r"]], ids=["eof", "quit", "eof-in-edit", "eof-in-reason"])
def test_a_person_may_leave_the_question_open(lines: list[str]) -> None:
    assert person(*lines)([WRITE]) is None


def test_nothing_is_sent_before_all_is_answered() -> None:
    assert person("a")([WRITE, REVIEW]) is None
    assert person("a", "r", "no")([WRITE, REVIEW]) == [{"type": "approve"}, {"type": "reject", "message": "no"}]


def test_long_text_is_edited_in_the_editor() -> None:
    asked = person("e", "", "", edit=lambda text: text.upper())
    assert asked([WRITE]) == [{"type": "edit", "args": {"text": "ONE\nTWO\n"}}]


def test_the_question_shows_what_and_why() -> None:
    asked = person("a")
    asked([WRITE])
    assert shown(asked) == (
        "decide    write_file\n"
        "          writer is about to call write_file\n"
        "          path: brief.md\n"
        "          text:\n"
        "            one\n"
        "            two\n"
        "          copies: 1\n"
    )


def test_a_long_argument_is_cut_and_shown_in_full_on_request() -> None:
    text = "\n".join(f"line {n}" for n in range(40))
    asked = person("v", "a")
    asked([REVIEW.model_copy(update={"args": {"text": text}})])
    before, _, full = shown(asked).partition("… (40 lines")
    assert "line 30" not in before
    assert "line 39" in full


def test_hidden_characters_are_pointed_out() -> None:
    asked = person("a")
    asked([REVIEW.model_copy(update={"args": {"text": "rm\u202e -rf"}})])
    assert "text: (contains control characters, which are not shown) rm -rf" in shown(asked)


def test_yes_approves_all() -> None:
    assert approve_all([WRITE, REVIEW]) == [{"type": "approve"}] * 2


def test_a_file_answers_in_order_and_by_match() -> None:
    answers = DecisionFile(
        [
            {"id": "result", "type": "reject", "message": "no"},
            {"checkpoint": "before_write", "type": "approve"},
            {"type": "approve"},
        ]
    )
    assert answers([WRITE]) == [{"type": "approve"}]
    assert answers([REVIEW]) == [{"type": "reject", "message": "no"}]
    assert answers.entries == [{"type": "approve"}]


def test_a_missing_decision_uses_nothing_up() -> None:
    answers = DecisionFile([{"name": "write_file", "type": "approve"}])
    assert answers([WRITE, REVIEW]) is None
    assert len(answers.entries) == 1


def test_yes_stands_in_for_what_the_file_lacks() -> None:
    answers = DecisionFile([{"id": "result", "type": "reject"}], approve_all)
    assert answers([WRITE, REVIEW]) == [{"type": "approve"}, {"type": "reject"}]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ('[{"type": "approve"}]', [{"type": "approve"}]),
        ('{"decisions": [{"type": "approve"}]}', [{"type": "approve"}]),
        ('{"type": "approve"}', [{"type": "approve"}]),
        ('{"type": "approve"}\n\n{"type": "reject"}\n', [{"type": "approve"}, {"type": "reject"}]),
        ("", []),
    ],
    ids=["list", "payload", "one", "lines", "empty"],
)
def test_files_of_decisions(text: str, entries: list[dict[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "decisions"
    path.write_text(text)
    assert read_decisions(path) == entries


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"type": "approve"}\nnonsense', "line 2: not JSON (Expecting value at column 1)"),
        (b'[{"type": "approve"}, {"name": "x"}]', "decision 2 needs a type"),
        (b"\xff\xfe", "cannot be read"),
        (b'[{"type": "perhaps"}]', "decision 1 needs a type"),
    ],
    ids=["not-json", "no-type", "binary", "unknown-type"],
)
def test_a_bad_file_says_what_is_wrong(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "decisions"
    path.write_bytes(content)
    with pytest.raises(InvalidDecision) as caught:
        read_decisions(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["h"], {"type": "approve"}),
        (["t"], {"type": "edit", "args": {"happened": False}}),
        (["v", "s"], {"type": "reject"}),
        (["it did not happen"], {"type": "edit", "args": {"happened": False}}),
        (["perhaps", "It happened."], {"type": "approve"}),
    ],
)
def test_whether_something_happened_has_answers_of_its_own(lines: list[str], answer: dict[str, Any]) -> None:
    asked = person(*lines)
    assert asked([SETTLE]) == [answer]
    assert "Nobody knows whether this happened" in shown(asked)


def test_what_happened_is_never_approved_unseen() -> None:
    assert approve_all([WRITE, SETTLE]) is None
    assert DecisionFile([], approve_all)([SETTLE]) is None
    assert DecisionFile([{"name": "settle_effect", "type": "approve"}])([SETTLE]) == [{"type": "approve"}]
    for unnamed in ({"type": "approve"}, {"type": "approve", "checkpoint": ""}):
        assert DecisionFile([unnamed])([SETTLE]) is None
