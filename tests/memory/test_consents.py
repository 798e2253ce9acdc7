import asyncio

import pytest

from domain.approvals import Decision
from domain.consent import answer_of, checked_scope, consent_request, holding, scope_of, standing
from domain.consent_words import said_consent
from domain.errors import InvalidConsent, InvalidDecision
from memory.audit import Audit
from memory.consents import Consents
from memory.records import Records
from tests.memory.conftest import House


@pytest.fixture
def records(house: House) -> Records:
    return house.records


async def test_moves_are_kept_in_order_and_the_last_one_holds(records: Records) -> None:
    consents = Consents(records, clock=lambda: 7.0)
    await consents.give("w", "ann", "camera", by="ann", run="r1")
    await consents.refuse("w", "ann", "camera", by="root")
    await consents.give("w", "bob", "camera", by="bob")
    assert await consents.standing("w", "ann") == {"camera": "never"}
    assert await consents.standing("w", "bob") == {"camera": "always"}
    assert await consents.standing("other", "ann") == {}
    history = await consents.history("w")
    assert [(m.number, m.user, m.move, m.by, m.time, m.run) for m in history] == [
        (1, "ann", "always", "ann", 7.0, "r1"),
        (2, "ann", "never", "root", 7.0, ""),
        (3, "bob", "always", "bob", 7.0, ""),
    ]
    await consents.revoke("w", "ann", "camera", by="ann")
    assert await consents.standing("w", "ann") == {}
    assert [m.user for m in holding(await consents.history("w"))] == ["bob"]


async def test_saying_the_same_again_is_noted_once(records: Records) -> None:
    consents = Consents(records)
    assert await consents.revoke("w", "ann", "camera", by="ann") is None
    assert await consents.give("w", "ann", "camera", by="ann") is not None
    assert await consents.give("w", "ann", "camera", by="ann") is None
    assert len(await consents.history("w")) == 1


async def test_two_at_once_leave_one_standing_answer(records: Records) -> None:
    consents = Consents(records, audit=Audit(records))
    await asyncio.gather(*(consents.give("w", "ann", "camera", by="ann") for _ in range(5)))
    assert await consents.standing("w", "ann") == {"camera": "always"}


@pytest.mark.parametrize("scope", ["", "Camera", "9x", "a b", "x" * 61, "../x", "a\n"])
async def test_what_is_no_scope_is_refused(records: Records, scope: str) -> None:
    with pytest.raises(InvalidConsent):
        await Consents(records).give("w", "ann", scope, by="ann")
    assert checked_scope(scope_of(scope))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("always", "always"), ("Yes, always.", "always"), ("this time", "this time"), ("once", "this time"),
        ("Only this time!", "this time"), ("never", "never"), ("no, never again", "never"), ("maybe", None), ("", None),
        ("not always", None), ("yes", None),
    ],
)  # fmt: skip
def test_words_that_answer(text: str, answer: str | None) -> None:
    assert said_consent(text) == answer


def test_every_way_to_answer_means_something() -> None:
    assert answer_of(Decision(type="approve")) == "this time"
    assert answer_of(Decision(type="reject")) is None
    assert answer_of(Decision(type="reject", message="never")) == "never"
    assert answer_of(Decision(type="respond", message="always")) == "always"
    assert answer_of(Decision(type="edit", args={"scope": "x", "answer": "never"})) == "never"
    with pytest.raises(InvalidDecision):
        answer_of(Decision(type="edit", args={"answer": "perhaps"}))


def test_the_same_scope_is_the_same_question_and_standing_reads_moves() -> None:
    assert consent_request("camera", ["a"]).args == consent_request("camera", ["b"]).args
    assert standing([], "ann") == {}
