"""What a person is told that the clock does next is what the clock does."""

from typing import Any

import pytest

from domain.afterwards import afterwards
from domain.approvals import ActionRequest
from domain.cases import asked, elapsed
from domain.questions import Question
from domain.waiting import Level, Patience

CHAIR, BOARD = Level(to=("chair",)), Level(to=("board", "ann"), after_seconds=60)
HALTS = "it stays undone until the run is resumed"


def question(*patience: Patience) -> Question:
    requests = [
        ActionRequest(id=f"send-{number}", name="send", args={}, description="Sends.", patience=each)
        for number, each in enumerate(patience)
    ]
    opened = Question(
        id="q1", workspace="w", thread="t", run="r", interrupt="i", team="club", goal="Thank all", user="ann",
        requests=requests, digest="d", opened=1000.0,
    )  # fmt: skip
    return asked(opened).question


@pytest.mark.parametrize(
    ("patience", "told"),
    [
        ({}, HALTS),
        ({"on_timeout": "reject"}, "it counts as rejected"),
        ({"on_timeout": "approve", "undoable": True}, "it counts as approved"),
        ({"on_timeout": "approve"}, HALTS),
        ({"escalation": (BOARD,)}, "asked as well: board, ann"),
        ({"on_timeout": "escalate", "escalation": (CHAIR,)}, "asked as well: chair"),
        ({"escalated": True, "escalation": (CHAIR,)}, HALTS),
    ],
)
def test_it_says_what_comes_next(patience: dict[str, Any], told: str) -> None:
    assert afterwards(question(Patience(**patience))) == told


@pytest.mark.parametrize("on_timeout", ["escalate", "reject"])
def test_after_an_escalation_it_says_what_comes_after_it(on_timeout: Any) -> None:
    case = asked(question(Patience(on_timeout=on_timeout, escalation=(BOARD, CHAIR))))
    assert case.question.due == 1060
    case, _ = elapsed(case, 1061.0)
    told = afterwards(case.question)
    assert told == ("asked as well: chair" if on_timeout == "escalate" else "it counts as rejected")
    assert case.question.due is not None
    case, _ = elapsed(case, case.question.due)
    assert (case.question.level, case.question.status == "open") == (
        (2, True) if on_timeout == "escalate" else (1, False)
    )


def test_of_several_requests_it_tells_of_the_next_one() -> None:
    several = question(Patience(), Patience(on_timeout="reject", timeout_seconds=60))
    assert afterwards(several) == "it counts as rejected"
    assert afterwards(several.model_copy(update={"due": None})) == ""
