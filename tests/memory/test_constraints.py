from typing import Any

import pytest

from domain.constraints import Rule
from domain.errors import InvalidRule, InvalidWorkspace, StorageAway, UnknownRule
from memory.constraints import Constraints, parsed_rule
from memory.provenance import Provenance
from memory.records import Value
from tests.memory.conftest import Clock, House

ANN = Provenance(writer="person", user="ann")
AGENT = Provenance(writer="agent", run="r1")


@pytest.fixture
def constraints(house: House, clock: Clock) -> Constraints:
    return Constraints(house.records, clock=clock)


def no_tool(*tools: str, name: str = "no-mail") -> Rule:
    return parsed_rule({"id": name, "kind": "forbidden_tool", "tools": list(tools)})


async def test_a_rule_is_in_force_once_it_is_accepted(constraints: Constraints) -> None:
    await constraints.propose("acme", no_tool("mail"), AGENT)
    assert (await constraints.active("acme")).rules == ()
    await constraints.accept("acme", "no-mail", ANN)
    assert (await constraints.active("acme")).rules == (no_tool("mail"),)
    assert await constraints.proposals("acme") == []


async def test_every_version_is_kept(constraints: Constraints) -> None:
    await constraints.propose("acme", no_tool("mail"), ANN)
    await constraints.accept("acme", "no-mail", ANN)
    await constraints.change("acme", no_tool("mail", "fax"), ANN)
    await constraints.retire("acme", "no-mail", ANN)
    assert (await constraints.active("acme")).rules == ()
    history = await constraints.history("acme")
    assert [(v.number, v.move) for v in history] == [(1, "proposed"), (2, "accepted"), (3, "changed"), (4, "retired")]
    assert history[2].rule == no_tool("mail", "fax").model_dump(mode="json")


async def test_the_old_version_holds_until_the_new_one_is_accepted(constraints: Constraints) -> None:
    for tools in (("mail",), ("mail", "fax")):
        await constraints.propose("acme", no_tool(*tools), AGENT)
        assert (await constraints.active("acme")).rules in ((), (no_tool("mail"),))
        await constraints.accept("acme", "no-mail", ANN)
    assert (await constraints.active("acme")).rules == (no_tool("mail", "fax"),)


async def test_the_hash_is_of_the_rules_in_force(constraints: Constraints) -> None:
    empty = (await constraints.active("acme")).hash
    for name in ("b", "a"):
        await constraints.propose("acme", no_tool("x", name=name), ANN)
        await constraints.accept("acme", name, ANN)
    for name in ("a", "b"):
        await constraints.propose("other", no_tool("x", name=name), ANN)
        await constraints.accept("other", name, ANN)
    both = (await constraints.active("acme")).hash
    assert both == (await constraints.active("other")).hash != empty
    await constraints.retire("acme", "a", ANN)
    assert (await constraints.active("acme")).hash not in (both, empty)


async def test_no_machine_puts_rules_in_or_out_of_force(constraints: Constraints) -> None:
    await constraints.propose("acme", no_tool("mail"), ANN)
    with pytest.raises(InvalidRule, match="only a person"):
        await constraints.accept("acme", "no-mail", AGENT)
    await constraints.accept("acme", "no-mail", ANN)
    for attempt in (
        constraints.retire("acme", "no-mail", AGENT),
        constraints.change("acme", no_tool("x"), Provenance(writer="document")),
    ):
        with pytest.raises(InvalidRule):
            await attempt
    assert (await constraints.active("acme")).rules == (no_tool("mail"),)


async def test_an_unknown_rule_is_told(constraints: Constraints) -> None:
    for attempt in (
        constraints.accept("acme", "no-mail", ANN),
        constraints.retire("acme", "no-mail", ANN),
        constraints.change("acme", no_tool("x"), ANN),
    ):
        with pytest.raises(UnknownRule):
            await attempt


async def test_a_rule_of_an_unknown_kind_forbids_instead_of_being_passed_over(
    constraints: Constraints, house: House
) -> None:
    move = {"id": "new", "move": "changed", "rule": {"id": "new", "kind": "of_tomorrow"}, "time": 0.0,
            "provenance": ANN.model_dump()}  # fmt: skip
    await house.records.append("memory:constraints:acme", move)
    assert [rule.kind for rule in (await constraints.active("acme")).rules] == ["unreadable"]


@pytest.mark.parametrize("value", [{}, {"id": "x", "kind": "nothing"}, {"id": "x", "kind": "cost", "measure": "joy"}])
def test_a_rule_with_mistakes_is_refused(value: Value) -> None:
    with pytest.raises(InvalidRule, match="this is no rule"):
        parsed_rule(value)


async def test_while_the_records_are_away_the_last_rules_hold(
    constraints: Constraints, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise StorageAway("gone")

    await constraints.propose("acme", no_tool("mail"), ANN)
    await constraints.accept("acme", "no-mail", ANN)
    seen = await constraints.active("acme")
    monkeypatch.setattr(house.records, "read", away)
    assert await constraints.active("acme") == seen
    with pytest.raises(StorageAway):
        await constraints.active("never-seen")


async def test_another_workspace_has_rules_of_its_own(constraints: Constraints) -> None:
    await constraints.propose("acme", no_tool("mail"), ANN)
    await constraints.accept("acme", "no-mail", ANN)
    for other in ("other", "acm", "ACME"):
        assert (await constraints.active(other)).rules == ()
        assert await constraints.history(other) == []


@pytest.mark.parametrize("name", ["", "a:b"])
async def test_a_bad_workspace_name_is_refused(constraints: Constraints, name: str) -> None:
    for door in (constraints.active(name), constraints.history(name), constraints.propose(name, no_tool("x"), ANN)):
        with pytest.raises(InvalidWorkspace):
            await door
