"""The question as a person is shown it: what it is about, why it is asked, how long it waits."""

from collections.abc import Sequence

from domain.approvals import ActionRequest
from domain.facts import Facts
from domain.hearing import Heard
from domain.waiting import Patience
from graph.gates import CHANGED


def question_of(
    request: ActionRequest, heard: Heard, *, undoable: bool, worries: Sequence[str] = (), stale: bool = False
) -> ActionRequest | None:
    """Return the question with the reasons for it, or None when there is none.

    Args:
        request: What it is about.
        heard: What the checkpoints say.
        undoable: Whether what follows can be taken back; only then may the clock approve.
        worries: What a person must look at, whatever the checkpoints say; then no clock approves.
        stale: Whether an earlier decision was on something else.
    """
    if not heard.asking and not worries and not stale:
        return None
    notes = [f"Look closely: {worry}." for worry in worries]
    notes += [f"Why you are asked: {reason}." for reason in heard.reasons]
    patience = heard.patience(undoable=undoable and not worries and not stale) or Patience()
    return request.model_copy(
        update={
            "checkpoint": heard.name,
            "description": "\n".join([*([CHANGED] if stale else []), request.description, *notes]),
            "patience": patience,
        }
    )


def with_facts(question: ActionRequest, facts: Facts, *, reasons: Sequence[str]) -> ActionRequest:
    """Return the question with what is known about it.

    Args:
        question: The question.
        facts: What is known.
        reasons: Why it is asked.
    """
    return question.model_copy(update={"facts": facts.model_copy(update={"why": list(reasons)})})
