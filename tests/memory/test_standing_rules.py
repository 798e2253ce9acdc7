"""The life of standing rules: proposed by anybody, accepted by people, out of force at once and whenever unreadable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidRule, StorageAway, UnknownRule
from domain.standing import Scope, StandingRule
from memory.audit import Audit
from memory.provenance import Provenance
from memory.records import Value
from memory.sqlite import SqliteRecords
from memory.standing_rules import StandingRules
from tests.memory.conftest import DAY, Clock

ANN = Provenance(writer="person", user="ann")
AGENT = Provenance(writer="agent", user="ann")
LOG = "autonomy:standing_rules:acme"


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def rules(records: SqliteRecords, clock: Clock) -> StandingRules:
    return StandingRules(records, clock=clock)


def rule(clock: Clock, name: str = "mail-ann", **fields: Any) -> StandingRule:
    scope = Scope(tool="send", names=("to",), recipients=("ann@x.org",))
    return StandingRule(id=name, **({"user": "ada", "scope": scope, "expires": clock.now + 90 * DAY} | fields))


async def active(rules: StandingRules) -> list[str]:
    return [each.id for each in await rules.active("acme", "send", "ada")]


async def test_it_is_in_force_once_a_person_accepts_it(rules: StandingRules, clock: Clock) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    assert await active(rules) == []
    assert await rules.accept("acme", "mail-ann", ANN) == rule(clock)
    assert await active(rules) == ["mail-ann"]
    assert await rules.active("acme", "send", "bob") == []
    assert await rules.active("acme", "post", "ada") == []
    assert await rules.active("other", "send", "ada") == []


async def test_only_a_person_accepts_and_retires(rules: StandingRules, clock: Clock) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    for move in (rules.accept, rules.retire):
        with pytest.raises(InvalidRule, match="only a person"):
            await move("acme", "mail-ann", AGENT)
    assert await active(rules) == []


async def test_a_retired_a_demoted_and_an_expired_rule_is_out_of_force(rules: StandingRules, clock: Clock) -> None:
    for name in ("retired", "demoted", "late"):
        await rules.propose("acme", rule(clock, name, expires=clock.now + (1 if name == "late" else 90) * DAY), AGENT)
        await rules.accept("acme", name, ANN)
    await rules.retire("acme", "retired", ANN, "enough")
    assert await rules.demote("acme", "demoted", AGENT, "edited by a person")
    clock.pass_days(1)
    assert await active(rules) == []
    assert {s.rule.id: s.status for s in await rules.listed("acme")} == {
        "retired": "retired", "demoted": "demoted", "late": "expired"
    }  # fmt: skip
    assert (await rules.get("acme", "demoted")).why == "edited by a person"


async def test_what_is_out_of_force_does_not_come_back(rules: StandingRules, clock: Clock) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    await rules.accept("acme", "mail-ann", ANN)
    await rules.demote("acme", "mail-ann", AGENT, "rejected")
    with pytest.raises(UnknownRule, match="demoted"):
        await rules.accept("acme", "mail-ann", ANN)
    with pytest.raises(InvalidRule, match="already"):
        await rules.propose("acme", rule(clock), AGENT)
    with pytest.raises(UnknownRule, match="demoted"):
        await rules.retire("acme", "mail-ann", ANN)
    assert not await rules.demote("acme", "mail-ann", AGENT, "again")
    assert await active(rules) == []


async def test_accepting_and_demoting_at_once_leaves_it_out_of_force(rules: StandingRules, clock: Clock) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    demoted, _ = await asyncio.gather(
        rules.demote("acme", "mail-ann", AGENT, "edited"), rules.accept("acme", "mail-ann", ANN), return_exceptions=True
    )
    assert demoted is True
    assert await active(rules) == []


async def test_a_proposal_that_two_make_is_one(rules: StandingRules, clock: Clock) -> None:
    wider = rule(clock, scope=Scope(tool="send", names=("to",), domains=("x.org",)))
    await asyncio.gather(*(rules.propose("acme", each, AGENT) for each in (rule(clock), wider)), return_exceptions=True)
    first = (await rules.get("acme", "mail-ann")).rule
    assert await rules.accept("acme", "mail-ann", ANN) == first


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": 1e12}, {"expires": 1.0},
        {"scope": Scope(tool="send", recipients=("аnn@x.org",))}, {"scope": Scope(tool="send", domains=("х.org",))},
        {"scope": Scope(tool="send", recipients=("ann@x.org evil",))},
    ],
    ids=["too long", "over", "look-alike", "look-alike domain", "two in one"],
)  # fmt: skip
async def test_a_rule_that_reaches_further_than_it_says_is_refused(
    rules: StandingRules, clock: Clock, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRule):
        await rules.propose("acme", rule(clock, **fields), ANN)


BY = ANN.model_dump(mode="json")


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "mail-ann", "move": "reborn", "time": 0, "provenance": BY},
        {"id": "mail-ann"},
        {"move": "retired"},
        {"id": ["mail-ann"], "move": "retired"},
    ],
    ids=["another move", "no move", "no rule", "a strange rule"],
)
async def test_a_move_that_cannot_be_read_puts_out_of_force(
    rules: StandingRules, records: SqliteRecords, clock: Clock, entry: Value
) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    await rules.accept("acme", "mail-ann", ANN)
    await records.append(LOG, entry)
    assert await active(rules) == []


@pytest.mark.parametrize("by", [AGENT.model_dump(mode="json"), None, "person"], ids=["an agent", "nobody", "a text"])
async def test_an_acceptance_by_nobody_counts_for_nothing(
    rules: StandingRules, records: SqliteRecords, clock: Clock, by: Any
) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    await records.append(LOG, {"id": "mail-ann", "move": "accepted", "time": 0, "provenance": by})
    assert await active(rules) == []


async def test_a_rule_of_another_version_is_not_in_force(
    rules: StandingRules, records: SqliteRecords, clock: Clock
) -> None:
    data = rule(clock).model_dump(mode="json")
    data["scope"]["except_on_sundays"] = True
    await records.append(LOG, {"id": "mail-ann", "move": "proposed", "rule": data, "time": 0, "provenance": BY})
    await records.append(LOG, {"id": "mail-ann", "move": "accepted", "time": 0, "provenance": BY})
    assert await active(rules) == []
    with pytest.raises(UnknownRule):
        await rules.get("acme", "mail-ann")


async def test_while_the_records_are_away_no_rule_is_in_force(
    rules: StandingRules, records: SqliteRecords, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rules.propose("acme", rule(clock), AGENT)
    await rules.accept("acme", "mail-ann", ANN)

    async def away(*_: Any, **__: Any) -> Any:
        raise StorageAway("away")

    monkeypatch.setattr(records, "read", away)
    assert await active(rules) == []


async def test_every_move_is_kept_and_in_the_audit(records: SqliteRecords, clock: Clock) -> None:
    audit = Audit(records, clock)
    rules = StandingRules(records, clock=clock, audit=audit)
    await rules.propose("acme", rule(clock), AGENT)
    assert [standing.by for standing in await rules.listed("acme")] == ["agent"]
    await rules.accept("acme", "mail-ann", ANN)
    await rules.demote("acme", "mail-ann", AGENT, "edited by a person")
    moves = [change.move for change in await rules.history("acme", "mail-ann")]
    noted = [entry.entry async for page in audit.pages("acme") for entry in page]
    assert [entry.data["move"] for entry in noted] == moves == ["proposed", "accepted", "demoted"]
    assert {entry.kind for entry in noted} == {"rule"}
    assert [entry.who for entry in noted] == ["agent", "ann", "agent"]
