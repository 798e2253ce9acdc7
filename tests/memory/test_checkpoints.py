from typing import Any

import pytest

from domain.checkpoints import Checkpoint
from domain.errors import InvalidCheckpoint, InvalidWorkspace, StorageAway, UnknownCheckpoint
from memory.checkpoints import WorkspaceCheckpoints, parsed_checkpoint
from memory.provenance import Provenance
from memory.records import Value
from tests.memory.conftest import Clock, House

ANN = Provenance(writer="person", user="ann")
AGENT = Provenance(writer="agent", run="r1")
WRITES = Checkpoint(name="writes", condition="ON_EFFECT")
AT_WRITER = Checkpoint(name="writer", condition="BEFORE_EXECUTION", stage="writer")


@pytest.fixture
def checkpoints(house: House, clock: Clock) -> WorkspaceCheckpoints:
    return WorkspaceCheckpoints(house.records, clock=clock)


async def names(checkpoints: WorkspaceCheckpoints) -> list[str]:
    return [each.checkpoint.name for each in await checkpoints.standing("acme")]


async def test_one_stands_from_when_it_is_added_until_it_is_removed(checkpoints: WorkspaceCheckpoints) -> None:
    await checkpoints.add("acme", WRITES, ANN)
    assert [(each.checkpoint, each.readable) for each in await checkpoints.standing("acme")] == [(WRITES, True)]
    assert await checkpoints.standing("other") == ()
    await checkpoints.remove("acme", "writes", ANN)
    assert await names(checkpoints) == []


async def test_every_version_is_kept_and_the_latest_stands(checkpoints: WorkspaceCheckpoints) -> None:
    await checkpoints.add("acme", WRITES, ANN)
    await checkpoints.add("acme", WRITES.model_copy(update={"quorum": 2}), ANN)
    assert [each.checkpoint.quorum for each in await checkpoints.standing("acme")] == [2]
    assert [(v.number, v.move) for v in await checkpoints.history("acme")] == [(1, "added"), (2, "added")]


async def test_only_a_person_sets_them(checkpoints: WorkspaceCheckpoints) -> None:
    with pytest.raises(InvalidCheckpoint, match="only a person"):
        await checkpoints.add("acme", WRITES, AGENT)
    await checkpoints.add("acme", WRITES, ANN)
    with pytest.raises(InvalidCheckpoint, match="only a person"):
        await checkpoints.remove("acme", "writes", AGENT)
    assert await names(checkpoints) == ["writes"]


async def test_one_at_a_specialist_says_of_which_team(checkpoints: WorkspaceCheckpoints) -> None:
    with pytest.raises(InvalidCheckpoint, match="needs the team"):
        await checkpoints.add("acme", AT_WRITER, ANN)
    await checkpoints.add("acme", AT_WRITER, ANN, team="marketing")
    assert [each.team for each in await checkpoints.standing("acme")] == ["marketing"]


async def test_what_is_not_there_cannot_be_removed(checkpoints: WorkspaceCheckpoints) -> None:
    with pytest.raises(UnknownCheckpoint, match="it has none"):
        await checkpoints.remove("acme", "writes", ANN)


async def test_a_workspace_has_a_usable_name(checkpoints: WorkspaceCheckpoints) -> None:
    with pytest.raises(InvalidWorkspace):
        await checkpoints.add("../x", WRITES, ANN)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "odd", "move": "added", "checkpoint": {"name": "odd", "condition": "ON_FULL_MOON"}, "time": 1,
         "provenance": {"writer": "person"}},
        {"name": "odd", "move": "added", "checkpoint": {"name": "odd", "condition": "ON_EFFECT", "action": "ESCALATE"},
         "time": 1, "provenance": {"writer": "person"}},
        {"what": "is this"},
    ],
    ids=["unknown condition", "contradiction", "no version at all"],
)  # fmt: skip
async def test_in_place_of_what_cannot_be_read_every_effect_is_asked_about(
    checkpoints: WorkspaceCheckpoints, house: House, entry: Value
) -> None:
    await house.records.append("memory:checkpoints:acme", entry)
    [standing] = await checkpoints.standing("acme")
    assert standing.readable is False
    assert standing.checkpoint.stands_at("step", "anybody", writes=True)
    await checkpoints.remove("acme", standing.checkpoint.name, ANN)
    assert await names(checkpoints) == []


async def test_while_the_records_are_away_what_was_last_seen_stands(
    checkpoints: WorkspaceCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> list[Any]:
        msg = "away"
        raise StorageAway(msg)

    await checkpoints.add("acme", WRITES, ANN)
    await checkpoints.standing("acme")
    monkeypatch.setattr(checkpoints._records, "read", away)
    assert await names(checkpoints) == ["writes"]
    with pytest.raises(StorageAway):
        await checkpoints.standing("other")


def test_a_checkpoint_from_a_file_is_explained_where_it_is_wrong() -> None:
    with pytest.raises(InvalidCheckpoint, match="escalates to nobody"):
        parsed_checkpoint({"name": "c", "condition": "ON_EFFECT", "action": "ESCALATE"})
    with pytest.raises(InvalidCheckpoint, match="conditon"):
        parsed_checkpoint({"name": "c", "conditon": "ON_EFFECT"})
