from typing import Any

from domain.checkpoints import Checkpoint
from domain.hearing import Heard, Said
from domain.verdicts import evaluate
from domain.waiting import Level


def heard(*checkpoints: Checkpoint, **data: Any) -> Heard:
    return Heard(tuple(Said(c, evaluate(c, data, user="ada")) for c in checkpoints))


def way(found: Heard) -> str:
    """What follows from what was heard."""
    if found.blocked:
        return "block"
    patience = found.patience()
    assert patience is not None
    return "escalate" if patience.escalated else "ask" if found.asking else "pass"


def asking(name: str = "ask", **fields: Any) -> Checkpoint:
    return Checkpoint(name=name, condition="ON_EFFECT", **fields)


BOSS = Level(to=("boss",))
ESCALATE = asking("up", action="ESCALATE", escalation=(BOSS,))
BLOCK = asking("stop", action="BLOCK", description="never on Sundays")
TELL = asking("tell", action="NOTIFY")


def test_the_strictest_wins() -> None:
    assert way(heard(TELL)) == "pass"
    assert way(heard(TELL, asking())) == "ask"
    assert way(heard(asking(), TELL, ESCALATE)) == "escalate"
    assert way(heard(asking(), ESCALATE, BLOCK)) == "block"


def test_all_reasons_are_told() -> None:
    both = heard(asking("a"), TELL, asking("b", description="look"))
    assert both.reasons == [
        "checkpoint 'a' (the checkpoint always asks)",
        "checkpoint 'b' — look (the checkpoint always asks)",
    ]
    assert heard(BLOCK, asking()).blocked == "checkpoint 'stop' — never on Sundays (the checkpoint lets nothing pass)"


def test_the_question_is_named_after_the_strictest() -> None:
    assert heard(asking("a"), ESCALATE).name == "up"


def test_one_patience_for_all_the_shortest_time_the_largest_quorum_and_who_may_answer_for_each() -> None:
    first = asking("a", timeout_seconds=60, approvers=("ada", "bob", "eve"), quorum=2, on_timeout="reject")
    second = asking("b", timeout_seconds=90, approvers=("bob", "eve"))
    patience = heard(first, second, asking("c")).patience(undoable=True)
    assert patience is not None
    assert (patience.timeout_seconds, patience.approvers, patience.quorum) == (60, ("bob", "eve"), 2)
    assert patience.on_timeout == "reject"


def test_where_nobody_may_answer_for_all_nothing_passes() -> None:
    nobody = heard(asking("a", approvers=("ada",)), asking("b", approvers=("bob",)))
    assert way(nobody) == "block"
    assert nobody.blocked == "nobody may answer for 'a' and 'b' together"
    too_few = heard(asking("a", approvers=("ada", "bob"), quorum=2), asking("b", approvers=("bob", "eve")))
    assert way(too_few) == "block"


def test_an_escalation_opens_at_the_first_level_and_must_have_its_quorum() -> None:
    patience = heard(ESCALATE, asking("a")).patience()
    assert patience is not None
    assert (patience.escalated, patience.escalation) == (True, (BOSS,))
    assert way(heard(ESCALATE, asking("a", approvers=("ada", "bob"), quorum=2))) == "block"


def test_one_checkpoint_brings_nobody_in_who_may_not_answer_for_the_others() -> None:
    legal, me = asking("legal", approvers=("legal",)), Level(to=("me",), after_seconds=60)
    both = Level(to=("me", "legal"), after_seconds=60)
    assert heard(legal, asking("up", action="ESCALATE", escalation=(me,))).blocked
    assert heard(ESCALATE, asking("up", action="ESCALATE", escalation=(me,))).blocked
    late = heard(legal, asking("late", escalation=(me,))).patience()
    assert late is not None
    assert (late.approvers, late.escalation) == (("legal",), ())
    shared = heard(legal, asking("up", action="ESCALATE", escalation=(me, both))).patience()
    assert shared is not None
    assert [level.to for level in shared.escalation] == [("legal",)]


def test_the_clock_approves_only_what_can_be_undone_and_only_where_every_checkpoint_lets_it() -> None:
    eager = asking("a", on_timeout="approve")
    ends = [heard(eager).patience(undoable=True), heard(eager).patience(undoable=False),
            heard(eager, asking("b")).patience(undoable=True)]  # fmt: skip
    assert [end and end.on_timeout for end in ends] == ["approve", "halt", "halt"]


def test_where_no_checkpoint_asks_everything_passes() -> None:
    assert way(heard()) == "pass"
    assert heard().patience(undoable=True) is not None
