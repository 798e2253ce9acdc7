import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.approvals import Decision
from domain.errors import InvalidDecision, NotAnApprover, QuestionClosed, StaleApproval, UnknownQuestion, UserError
from domain.waiting import Level
from memory.audit import Audit
from memory.sqlite import SqliteRecords
from tests.postgres import new_database
from tests.understudy.durable.desks import NOON, Reception, open_reception, question, request
from understudy.durable.desk import Desk

APPROVE = {"decisions": [{"type": "approve"}]}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[SecretStr | None]:
    """Every test runs on both."""
    if request.param == "sqlite":
        yield None
        return
    with new_database() as url:
        yield url


@pytest.fixture
async def at(tmp_path: Path, database_url: SecretStr | None) -> AsyncIterator[Reception]:
    async with open_reception(tmp_path, database_url) as reception:
        yield reception


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("runs.sqlite*")]


async def test_a_question_waits_and_is_decided_and_applied_once(at: Reception) -> None:
    opened = await at.desk.open(question())
    assert (opened.due, opened.level) == (NOON + 3600, 0)
    assert await at.desk.listed("default") == [opened]
    decided = await at.desk.answer("default", "q1", APPROVE, by="bob", digest="shown-q1")
    assert decided.decisions == [Decision(type="approve", by="bob")]
    assert (decided.status, decided.closed_by, decided.closed, decided.due) == ("decided", "bob", NOON, None)
    assert await at.desk.ready() == [decided]
    assert await at.desk.of_thread("default", "t-q1") == decided
    await at.desk.applied("q1")
    await at.desk.applied("q1")
    assert await at.desk.ready() == []
    assert await at.desk.of_thread("default", "t-q1") is None
    assert (await at.desk.get("default", "q1")).applied


async def test_opening_twice_opens_once(at: Reception) -> None:
    first = await at.desk.open(question())
    at.clock.now += 100
    assert await at.desk.open(question(opened=at.clock.now)) == first
    assert [entry.kind for entry in await at.noted()] == ["question"]
    assert await at.notices() == [("asked", "waiting")]


async def test_the_same_answer_twice_is_applied_once(at: Reception) -> None:
    await at.desk.open(question())
    first = await at.desk.answer("default", "q1", APPROVE, by="bob")
    at.clock.now += 60
    assert await at.desk.answer("default", "q1", APPROVE, by="bob") == first
    assert await at.desk.answer("default", "q1", "yes", by="bob") == first
    assert [entry.kind for entry in await at.noted()] == ["question", "decision"]


async def test_a_late_answer_is_refused_with_who_decided_and_when(at: Reception) -> None:
    await at.desk.open(question())
    await at.desk.answer("default", "q1", "no, too early", by="bob")
    at.clock.now += 60
    with pytest.raises(QuestionClosed, match=r"reject by bob, 2023-11-14 22:13:20 UTC") as refused:
        await at.desk.answer("default", "q1", APPROVE, by="cem")
    assert (refused.value.by, refused.value.time) == ("bob", NOON)
    noted = (await at.noted())[-1]
    assert (noted.kind, noted.who, noted.data["refused"]) == ("decision", "cem", "question_closed")


async def test_words_of_people_stay_out_of_the_audit(at: Reception) -> None:
    await at.desk.open(question())
    await at.desk.answer("default", "q1", "no, Mrs Miller would be angry", by="bob")
    assert "Miller" not in "".join(entry.model_dump_json() for entry in await at.noted())


async def test_an_edit_is_read_in_the_types_of_the_action(at: Reception) -> None:
    await at.desk.open(question())
    edit = {"decisions": [{"type": "edit", "args": {"copies": "2"}}]}
    decided = await at.desk.answer("default", "q1", edit, by="bob")
    assert decided.decisions[0].args == {"to": "a@example.org", "copies": 2}
    assert (await at.noted())[-1].data["changed"] == ["copies"]


@pytest.mark.parametrize("answer", [
    {"type": "edit", "args": {"copies": "many"}}, {"type": "edit", "args": {"nothing": 1}}, {"type": "dance"}, 17, None,
    {"request": "other", "type": "approve"}, [], [{"type": "approve"}] * 3, "make it shorter", {"decisions": [None]},
])  # fmt: skip
async def test_an_answer_that_does_not_fit_leaves_the_question_open(at: Reception, answer: Any) -> None:
    opened = await at.desk.open(question())
    with pytest.raises(InvalidDecision):
        await at.desk.answer("default", "q1", answer, by="bob")
    assert await at.desk.get("default", "q1") == opened


async def test_an_answer_to_something_else_is_stale(at: Reception) -> None:
    await at.desk.open(question())
    with pytest.raises(StaleApproval):
        await at.desk.answer("default", "q1", APPROVE, by="bob", digest="shown-before")
    assert (await at.noted())[-1].data["refused"] == "stale_approval"


@pytest.mark.parametrize("by", ["cem", "timeout", ""])
async def test_only_who_is_asked_may_answer(at: Reception, by: str) -> None:
    await at.desk.open(question("q1", request(approvers=("bob",))))
    with pytest.raises(NotAnApprover):
        await at.desk.answer("default", "q1", APPROVE, by=by)
    assert (await at.desk.answer("default", "q1", APPROVE, by="bob")).status == "decided"


async def test_a_question_of_another_workspace_is_unknown(at: Reception) -> None:
    await at.desk.open(question())
    with pytest.raises(UnknownQuestion):
        await at.desk.answer("other", "q1", APPROVE, by="bob")
    with pytest.raises(UnknownQuestion):
        await at.desk.get("other", "q1")
    assert await at.desk.listed("other") == []


async def test_requests_may_be_answered_one_by_one(at: Reception) -> None:
    await at.desk.open(question("q1", request("a"), request("b")))
    half = await at.desk.answer("default", "q1", {"request": "b", "type": "reject"}, by="bob")
    assert half.status == "open"
    with pytest.raises(QuestionClosed, match="reject by bob"):
        await at.desk.answer("default", "q1", {"request": "b", "type": "approve"}, by="cem")
    decided = await at.desk.answer("default", "q1", "yes", by="cem")
    assert [(d.type, d.by) for d in decided.decisions] == [("approve", "cem"), ("reject", "bob")]
    assert decided.closed_by == "cem, bob"


async def test_several_people_must_approve_what_is_shown_now(at: Reception) -> None:
    await at.desk.open(question("q1", request(quorum=2)))
    await at.desk.answer("default", "q1", APPROVE, by="ann", digest="shown-q1")
    again = await at.desk.answer("default", "q1", APPROVE, by="ann", digest="shown-q1")
    assert again.status == "open"
    edited = await at.desk.answer("default", "q1", {"type": "edit", "args": {"copies": 3}}, by="bob", digest="shown-q1")
    assert (edited.status, edited.digest != "shown-q1") == ("open", True)
    for stale in ("shown-q1", ""):
        with pytest.raises(StaleApproval, match="bob changed it"):
            await at.desk.answer("default", "q1", APPROVE, by="cem", digest=stale)
    delivered_twice = await at.desk.answer("default", "q1", APPROVE, by="ann", digest="shown-q1")
    assert delivered_twice.status == "open"
    decided = await at.desk.answer("default", "q1", APPROVE, by="ann", digest=edited.digest)
    assert decided.decisions == [Decision(type="edit", args={"to": "a@example.org", "copies": 3}, by="bob, ann")]


async def test_whoever_rejects_need_not_know_the_latest_edit(at: Reception) -> None:
    await at.desk.open(question("q1", request(quorum=2)))
    await at.desk.answer("default", "q1", {"type": "edit", "args": {"copies": 3}}, by="bob")
    assert (await at.desk.answer("default", "q1", "no", by="cem")).status == "decided"


async def test_nobody_answers_and_the_next_level_is_asked_then_it_is_over(at: Reception) -> None:
    levels = (Level(to=("bob",), after_seconds=600), Level(to=("cem",)))
    await at.desk.open(question("q1", request(approvers=("ann",), escalation=levels, on_timeout="escalate")))
    with pytest.raises(NotAnApprover):
        await at.desk.answer("default", "q1", APPROVE, by="bob")
    assert await at.desk.next_due() == NOON + 600
    assert await at.desk.settle() == []
    at.clock.now = NOON + 600
    [changed] = await at.desk.settle()
    assert (changed.level, changed.due, changed.status) == (1, NOON + 3600, "open")
    at.clock.now = NOON + 4000
    [changed] = await at.desk.settle()
    assert (changed.level, changed.due) == (2, NOON + 7600)
    at.clock.now = NOON + 7600
    [changed] = await at.desk.settle()
    assert (changed.status, changed.closed_by, changed.why) == ("expired", "timeout", "nobody answered in time")
    assert await at.desk.settle() == []
    assert await at.desk.next_due() is None
    kinds = [entry.kind for entry in await at.noted()]
    assert kinds == ["question", "decision", "escalation", "escalation", "timeout"]
    assert await at.notices() == [
        ("asked", "withdrawn"), ("escalated", "withdrawn"), ("escalated", "withdrawn"), ("expired", "waiting"),
    ]  # fmt: skip


async def test_who_is_asked_later_may_answer_then(at: Reception) -> None:
    levels = (Level(to=("bob",), after_seconds=600),)
    await at.desk.open(question("q1", request(approvers=("ann",), escalation=levels)))
    at.clock.now += 600  # nobody settled: the answer finds the level asked
    assert (await at.desk.answer("default", "q1", APPROVE, by="bob")).status == "decided"


@pytest.mark.parametrize(("on_timeout", "undoable", "status"), [
    ("reject", False, "decided"), ("approve", True, "decided"), ("approve", False, "expired"),
    ("halt", True, "expired"), ("escalate", True, "expired"),
])  # fmt: skip
async def test_what_follows_a_time_out(at: Reception, on_timeout: str, undoable: bool, status: str) -> None:
    await at.desk.open(question("q1", request(on_timeout=on_timeout, undoable=undoable)))
    at.clock.now += 3600
    [changed] = await at.desk.settle()
    assert changed.status == status
    assert [d.type for d in changed.decisions] == ([on_timeout] if status == "decided" else [])
    assert all(d.by == "timeout" for d in changed.decisions)
    assert [q.id for q in await at.desk.ready()] == (["q1"] if status == "decided" else [])


async def test_each_request_has_its_own_patience(at: Reception) -> None:
    slow, quick = request("slow", timeout_seconds=500), request("quick", timeout_seconds=100, on_timeout="reject")
    opened = await at.desk.open(question("q1", slow, quick))
    assert opened.due == NOON + 100
    at.clock.now += 100
    [changed] = await at.desk.settle()
    assert (changed.status, changed.due) == ("open", NOON + 500)
    at.clock.now += 1
    decided = await at.desk.answer("default", "q1", "yes", by="bob")
    assert [(d.type, d.by) for d in decided.decisions] == [("approve", "bob"), ("reject", "timeout")]


async def test_one_request_that_halts_expires_the_whole_question(at: Reception) -> None:
    await at.desk.open(question("q1", request("a", timeout_seconds=100), request("b")))
    await at.desk.answer("default", "q1", {"request": "b", "type": "approve"}, by="bob")
    at.clock.now += 100
    [changed] = await at.desk.settle()
    assert (changed.status, changed.decisions) == ("expired", [])


async def test_a_deadline_that_has_passed_has_passed_though_nobody_was_there(at: Reception) -> None:
    await at.desk.open(question())
    at.clock.now += 3600
    with pytest.raises(QuestionClosed, match="its time was over"):
        await at.desk.answer("default", "q1", APPROVE, by="bob")
    assert (await at.desk.get("default", "q1")).status == "expired"
    assert [entry.kind for entry in await at.noted()] == ["question", "timeout", "decision"]


async def test_a_new_question_takes_the_place_of_an_older_one_of_its_thread(at: Reception) -> None:
    await at.desk.open(question("q1", thread="t"))
    newer = await at.desk.open(question("q2", thread="t"))
    assert await at.desk.listed("default") == [newer]
    with pytest.raises(QuestionClosed, match="another question took its place"):
        await at.desk.answer("default", "q1", APPROVE, by="bob")


async def test_what_is_withdrawn_leads_to_nothing(at: Reception) -> None:
    await at.desk.open(question("q1"))
    await at.desk.open(question("q2"))
    await at.desk.answer("default", "q2", APPROVE, by="bob")
    for thread in ("t-q1", "t-q2"):
        await at.desk.withdraw("default", thread, "the run was undone")
    assert await at.desk.ready() == []
    assert [q.status for q in await at.desk.listed("default", closed=True)] == ["withdrawn", "withdrawn"]
    at.clock.now += 4000
    assert await at.desk.settle() == []


async def test_forgetting_leaves_nothing_but_the_audit(at: Reception, tmp_path: Path) -> None:
    await at.desk.open(question("q1", goal="Thank the Rotarians"))
    await at.desk.answer("default", "q1", "no, the Rotarians are away", by="bob")
    await at.desk.forget("default", "t-q1")
    with pytest.raises(UnknownQuestion):
        await at.desk.get("default", "q1")
    assert [entry.kind for entry in await at.noted()] == ["question", "decision"]
    assert await at.notices() == []
    assert not any(b"Rotarians" in content for content in contents(tmp_path))


async def test_lists_come_in_order_and_no_longer_than_wanted(at: Reception) -> None:
    for name, seconds in (("q1", 300), ("q2", 100), ("q3", 200)):
        await at.desk.open(question(name, request(timeout_seconds=seconds)))
    assert [q.id for q in await at.desk.listed("default")] == ["q2", "q3", "q1"]
    assert [q.id for q in await at.desk.listed("default", limit=2)] == ["q2", "q3"]
    assert await at.desk.waiting("default") == (3, NOON + 100)
    for at.clock.now, name in ((NOON + 1, "q3"), (NOON + 2, "q1")):
        await at.desk.answer("default", name, APPROVE, by="bob")
    assert [q.id for q in await at.desk.listed("default", closed=True)] == ["q1", "q3"]
    assert [q.id for q in await at.desk.ready()] == ["q3", "q1"]


async def test_a_question_is_found_by_the_beginning_of_its_id_or_its_thread(at: Reception) -> None:
    for name in ("abc1", "abd2", "50%x"):
        await at.desk.open(question(name))
    for name in ("abc1", "abc", "t-abc1"):
        assert (await at.desk.look_up("default", name)).id == "abc1"
    assert (await at.desk.look_up("default", "50%")).id == "50%x"
    for name in ("ab", "", "%", "xyz"):
        with pytest.raises(UnknownQuestion):
            await at.desk.look_up("default", name)


async def test_what_the_audit_could_not_take_is_handed_over_by_a_later_sweep(at: Reception, tmp_path: Path) -> None:
    away = await SqliteRecords.open(tmp_path / "away.sqlite", clock=at.clock)
    ended = Desk(at.database, at.clock, notify=at.outbox, audit=Audit(away, at.clock), command="understudy")
    await away.close()
    with pytest.raises(RuntimeError):  # as if the process ended when the transaction was through
        await ended.open(question())
    assert await at.noted() == []
    at.clock.now += 10
    for _ in range(2):
        await at.desk.settle()
        assert [entry.kind for entry in await at.noted()] == ["question"]


async def test_of_many_answers_at_once_one_wins(at: Reception) -> None:
    await at.desk.open(question())

    async def given(by: str, kind: str) -> UserError | None:
        try:
            await at.desk.answer("default", "q1", {"type": kind}, by=by)
        except QuestionClosed as error:
            return error
        return None

    given_at_once = [given(f"user{number}", ("approve", "reject")[number % 2]) for number in range(10)]
    refused = [error for error in await asyncio.gather(*given_at_once) if error]
    kept = await at.desk.get("default", "q1")
    assert (len(refused), len(kept.votes), kept.closed_by) == (9, 1, kept.votes[0].by)
