"""Trust tiers: set by people only, per user and workspace, and the least where they cannot be read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidRule, StorageAway
from memory.audit import Audit
from memory.provenance import Provenance
from memory.records import Value
from memory.sqlite import SqliteRecords
from memory.trust import Trust
from tests.memory.conftest import Clock

ANN = Provenance(writer="person", user="ann")


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    yield opened
    await opened.close()


async def test_what_a_person_said_last_holds(records: SqliteRecords) -> None:
    trust = Trust(records)
    assert await trust.tier("acme", "bob", "standard") == "standard"
    await trust.set("acme", "bob", "trusted", ANN)
    await trust.set("acme", "bob", "cautious", ANN)
    assert await trust.tier("acme", "bob", "standard") == "cautious"
    assert await trust.tier("acme", "eve", "standard") == "standard"
    assert await trust.tier("other", "bob", "trusted") == "trusted"
    assert await trust.listed("acme") == {"bob": "cautious"}


@pytest.mark.parametrize("writer", ["agent", "tool", "document", "import"])
async def test_nobody_but_a_person_gives_trust(records: SqliteRecords, writer: Any) -> None:
    with pytest.raises(InvalidRule, match="only a person"):
        await Trust(records).set("acme", "bob", "trusted", Provenance(writer=writer, user="ann"))
    assert await Trust(records).tier("acme", "bob", "standard") == "standard"


@pytest.mark.parametrize(("user", "tier"), [("bob", "root"), (" ", "trusted")])
async def test_a_tier_that_is_none_is_refused(records: SqliteRecords, user: str, tier: Any) -> None:
    with pytest.raises(InvalidRule):
        await Trust(records).set("acme", user, tier, ANN)


@pytest.mark.parametrize(
    ("entry", "bob", "eve"),
    [
        ({"user": "bob", "tier": "root"}, "cautious", "trusted"),
        ({"tier": "trusted"}, "cautious", "cautious"),
        ({"user": 7}, "cautious", "cautious"),
    ],
    ids=["of bob", "of nobody", "of something"],
)
async def test_what_cannot_be_read_leaves_the_least_trust(
    records: SqliteRecords, entry: Value, bob: str, eve: str
) -> None:
    trust = Trust(records)
    for user in ("bob", "eve"):
        await trust.set("acme", user, "trusted", ANN)
    await records.append("autonomy:trust:acme", entry)
    assert await trust.tier("acme", "bob", "trusted") == bob
    assert await trust.tier("acme", "eve", "trusted") == eve


async def test_while_the_records_are_away_there_is_the_least_trust(
    records: SqliteRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise StorageAway("away")

    monkeypatch.setattr(records, "read", away)
    assert await Trust(records).tier("acme", "bob", "trusted") == "cautious"


async def test_every_change_is_in_the_audit(records: SqliteRecords, clock: Clock) -> None:
    audit = Audit(records, clock)
    await Trust(records, clock=clock, audit=audit).set("acme", "bob", "trusted", ANN)
    [noted] = [entry async for page in audit.pages("acme") for entry in page]
    assert (noted.entry.kind, noted.entry.who, noted.entry.data) == ("trust", "ann", {"user": "bob", "tier": "trusted"})
