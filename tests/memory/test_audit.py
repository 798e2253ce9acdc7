"""What the audit promises, on every adapter of the records and from many processes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.audit import Anchor, AuditEntry
from domain.audit_chain import checked_export
from domain.errors import InvalidWorkspace, StorageAway, StorageBusy, StorageCorrupt, UserError
from domain.secrets import Secrets
from memory.audit import Audit
from memory.audit_check import checked
from memory.audit_places import head_key, marks, place
from memory.effects import FIRST_RESULT
from memory.queued import QueuedRecords
from memory.records import Records, Value
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock
from tests.redis_server import RedisServer

KINDS = ["sqlite", "redis", "queued"]
CHILD = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from domain.audit import AuditEntry
from memory.audit import Audit
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords

async def main(place, name, count):
    records = RedisRecords.open(SecretStr(place)) if "://" in place else await SqliteRecords.open(Path(place))
    audit = Audit(records, patience=120)
    for n in range(count):
        entry = AuditEntry(kind="decision", who=name, why="approved", data={"n": n})
        await audit.note("acme", entry, once=f"shared:{n}" if n % 2 else "")
    await records.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Records:
    if kind == "sqlite":
        return await SqliteRecords.open(folder / "records.db")
    server: RedisServer = request.getfixturevalue("shared_redis")
    await server.empty()
    redis = RedisRecords.open(server.url)
    if kind == "redis":
        return redis
    return await QueuedRecords.open(redis, folder / "outbox.db", merges=[FIRST_RESULT])


@pytest.fixture(params=KINDS)
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Records]:
    records = await opened(request.param, request, tmp_path)
    yield records
    await records.close()


@pytest.fixture
def audit(records: Records, clock: Clock) -> Audit:
    return Audit(records, clock, segment=4)


def approved(n: int = 1) -> AuditEntry:
    return AuditEntry(kind="decision", who="ann", why="approved", run="r1", data={"n": n})


async def noted(audit: Audit, count: int) -> Anchor:
    for n in range(count):
        await audit.note("acme", approved(n), once=f"id{n}" if n % 2 else "")
    return await audit.head("acme")


async def everything(audit: Audit, *, latest_first: bool = False) -> list[int]:
    return [entry.seq async for page in audit.pages("acme", latest_first=latest_first) for entry in page]


async def export(audit: Audit) -> list[str]:
    return [line async for lines in audit.exported("acme") for line in lines]


async def test_entries_are_numbered_and_read_back(audit: Audit, clock: Clock) -> None:
    assert [await audit.note("acme", approved(n)) for n in range(3)] == [1, 2, 3]
    [page] = [page async for page in audit.pages("acme")]
    assert [(e.seq, e.time, e.workspace, e.entry) for e in page] == [
        (n + 1, clock.now, "acme", approved(n)) for n in range(3)
    ]
    assert await everything(audit, latest_first=True) == [3, 2, 1]


async def test_a_sound_audit_is_sound(audit: Audit) -> None:
    head = await noted(audit, 9)
    found = await checked(audit, "acme", [head])
    assert (found.problems, found.entries, found.head) == ((), 9, head)


async def test_an_empty_audit_is_sound_and_an_anchor_tells_that_it_was_not_empty(audit: Audit) -> None:
    assert (await checked(audit, "acme")).sound
    assert await audit.head("acme") == Anchor()
    [problem] = (await checked(audit, "acme", [Anchor(2, "a" * 64)])).problems
    assert "its end is gone" in problem


async def test_the_same_id_is_noted_once(audit: Audit) -> None:
    first = await audit.note("acme", approved(), once="q1")
    assert await audit.note("acme", approved(), once="q1") == first
    await noted(audit, 5)
    assert await audit.note("acme", approved(), once="q1") == first
    assert len(await everything(audit)) == 6


async def test_one_id_at_once_from_many_tasks_is_one_entry(records: Records) -> None:
    audits = [Audit(records) for _ in range(8)]
    numbers = await asyncio.gather(*(audit.note("acme", approved(), once="q1") for audit in audits))
    assert set(numbers) == {1}


async def test_workspaces_are_apart(audit: Audit) -> None:
    await audit.note("acme", approved(), once="q1")
    assert await audit.note("other", approved(), once="q1") == 1
    with pytest.raises(InvalidWorkspace):
        await audit.note("acme:entry", approved())


async def test_a_crash_behind_the_head_loses_nothing(audit: Audit, records: Records) -> None:
    """The head alone was written; its entry is read from there and put in its place by whoever comes next."""
    await audit.note("acme", approved(1), once="q1")
    await records.delete(place("acme", 1))
    [(mark, _)] = await records.scan(marks("acme"))
    await records.delete(mark)
    assert (await checked(audit, "acme")).sound
    assert await everything(audit) == [1]
    later = Audit(records)
    assert await later.note("acme", approved(1), once="q1") == 1
    assert await later.note("acme", approved(2)) == 2
    assert await records.get(place("acme", 1)) is not None
    assert await later.note("acme", approved(1), once="q1") == 1
    assert (await checked(later, "acme")).sound


async def test_a_crash_between_a_mark_and_its_entrys_place_loses_nothing(audit: Audit, records: Records) -> None:
    await noted(audit, 2)
    await records.delete(place("acme", 2))
    assert (await checked(audit, "acme")).sound
    assert await audit.note("acme", approved()) == 3
    assert (await checked(audit, "acme")).sound


async def test_nothing_is_noted_where_the_end_was_changed(audit: Audit, records: Records) -> None:
    await noted(audit, 2)
    await records.put(place("acme", 2), {"text": "{}", "hash": "0"})
    with pytest.raises(StorageCorrupt, match="changed from outside"):
        await audit.note("acme", approved())


async def test_secrets_are_not_kept(records: Records) -> None:
    audit = Audit(records, secrets=Secrets(["sk-very-secret"]))
    await audit.note("acme", AuditEntry(kind="ruling", who="x", why="key sk-very-secret", data={"k": "sk-very-secret"}))
    assert "sk-very-secret" not in json.dumps(await records.scan("audit:"))


@pytest.mark.parametrize(
    "data", [{"x": float("nan")}, {"x": object()}, {"x": "y" * 20_000}], ids=["nan", "object", "long"]
)
def test_data_is_json_of_some_size(data: Value) -> None:
    with pytest.raises(ValidationError):
        AuditEntry(kind="effect", who="x", why="y", data=data)


def test_long_reasons_are_cut() -> None:
    assert len(AuditEntry(kind="effect", who="x" * 1000, why="y" * 1000).why) == 500


async def test_an_export_is_checked_without_the_records(audit: Audit) -> None:
    head = await noted(audit, 7)
    workspace, found = checked_export(await export(audit), [head])
    assert (workspace, found.problems, found.entries, found.head) == ("acme", (), 7, head)


async def test_dropped_segments_keep_the_chain(audit: Audit, records: Records) -> None:
    head = await noted(audit, 10)
    gone = await audit.drop("acme", head, who="ann")
    assert gone.seq == 8  # two closed segments of four
    assert await everything(audit) == [9, 10, 11]
    found = await checked(audit, "acme")
    assert (found.problems, found.first) == ((), gone)
    assert await records.count("audit:acme:entry:") == 3
    assert await audit.drop("acme", head, who="ann") == gone
    workspace, later = checked_export(await export(audit), [gone])
    assert (workspace, later.problems, later.first) == ("acme", (), gone)


async def test_a_drop_that_was_broken_off_is_carried_on(audit: Audit, records: Records) -> None:
    head = await noted(audit, 10)
    kept = [(seq, await records.get(place("acme", seq))) for seq in range(5, 9)]
    await audit.drop("acme", head, who="ann")
    for seq, value in kept:
        assert value is not None
        await records.put(place("acme", seq), value)
    assert (await checked(audit, "acme")).sound
    assert await everything(audit) == [9, 10, 11]
    await audit.drop("acme", head, who="ann")
    assert await records.get(place("acme", 5)) is None


async def test_only_what_was_exported_is_dropped(audit: Audit) -> None:
    await noted(audit, 10)
    with pytest.raises(UserError):
        await audit.drop("acme", Anchor(8, "f" * 64), who="ann")
    assert await everything(audit) == list(range(1, 11))


async def test_a_beginning_that_was_removed_by_a_forged_tombstone_is_found(audit: Audit, records: Records) -> None:
    await noted(audit, 10)
    stored = await records.get(place("acme", 4))
    assert stored is not None
    for seq in range(1, 5):
        await records.delete(place("acme", seq))
    await records.put("audit:acme:dropped", {"seq": 4, "hash": stored["hash"]})
    assert any("its beginning is gone" in problem for problem in (await checked(audit, "acme")).problems)


async def test_an_end_set_back_is_found_by_an_anchor_only(audit: Audit, records: Records) -> None:
    await noted(audit, 3)
    old = await records.get(head_key("acme"))
    assert old is not None
    head = await noted(audit, 4)
    for seq in range(3, 8):
        await records.delete(place("acme", seq))
    await records.put(head_key("acme"), old)
    for n in range(2):
        await records.delete(f"audit:acme:once:{n}")
    problems = (await checked(audit, "acme", [head])).problems
    assert any("its end is gone" in problem for problem in problems)


@pytest.mark.parametrize("where", ["sqlite", "redis"])
async def test_many_processes_append_one_chain(where: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    records = await opened(where, request, tmp_path)
    shared = request.getfixturevalue("shared_redis").url.get_secret_value() if where == "redis" else ""
    target = shared or str(tmp_path / "records.db")
    commands = [[sys.executable, "-c", CHILD, target, f"w{n}", "20"] for n in range(4)]
    workers = [await asyncio.create_subprocess_exec(*command) for command in commands]
    assert [await worker.wait() for worker in workers] == [0] * 4
    audit = Audit(records)
    found = await checked(audit, "acme")
    assert (found.problems, found.entries) == ((), 4 * 10 + 10)  # ten ids that all four share
    assert await everything(audit) == list(range(1, 51))
    await records.close()


async def test_who_never_comes_to_its_turn_is_told(tmp_path: Path) -> None:
    class Contended(SqliteRecords):
        async def compare_and_set(
            self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
        ) -> bool:
            return False

    records = await Contended.open(tmp_path / "records.db")
    with pytest.raises(StorageBusy):
        await Audit(records, patience=0).note("acme", approved())
    await records.close()


async def test_nothing_waits_on_disk_while_the_records_are_away(tmp_path: Path) -> None:
    server = RedisServer()
    try:
        records = await QueuedRecords.open(RedisRecords.open(server.url), tmp_path / "outbox.db", merges=[])
        audit = Audit(records)
        await audit.note("acme", approved(1), once="a")
        server.kill()
        for _ in range(2):
            with pytest.raises(StorageAway):
                await audit.note("acme", approved(2), once="b")
        assert await records.queued() == 0
        server.start()
        assert await records.deliver()
        assert await audit.note("acme", approved(2), once="b") == 2
        assert (await checked(audit, "acme")).sound
        await records.close()
    finally:
        server.remove()
