import pytest

from domain.errors import InvalidWorkspace
from memory.episodes import WINDOW, Episode, Episodes
from memory.provenance import Provenance
from tests.memory.conftest import Clock, House


def episode(run: str, *sequence: str, **fields: object) -> Episode:
    success = fields.get("success", True)
    values = {
        "run": run, "started": 1_700_000_000.0, "team": "marketing", "goal": f"goal of {run}", "task": f"task of {run}",
        "sequence": list(sequence or ("content",)), "status": "done" if success else "failed", "success": success,
        "provenance": Provenance(writer="person", run=run),
    }  # fmt: skip
    return Episode.model_validate(values | fields)


@pytest.fixture
def episodes(house: House, clock: Clock) -> Episodes:
    return Episodes(house.records, clock=clock)


async def test_the_latest_run_comes_first(episodes: Episodes) -> None:
    for run, started in (("b", 20.0), ("a", 3.0), ("c", 100.5)):
        await episodes.add("acme", episode(run, started=started))
    assert [e.run for e in await episodes.recent("acme")] == ["c", "b", "a"]


async def test_the_same_run_is_kept_once(episodes: Episodes) -> None:
    await episodes.add("acme", episode("a", success=False))
    await episodes.add("acme", episode("a", success=True))
    assert [e.success for e in await episodes.recent("acme")] == [True]


async def test_the_window_moves_on(episodes: Episodes, house: House) -> None:
    for number in range(WINDOW + 60):
        await episodes.add("acme", episode(f"r{number}", started=float(number)))
    kept = await episodes.recent("acme")
    assert (len(kept), kept[0].run, kept[-1].run) == (WINDOW, f"r{WINDOW + 59}", "r60")
    assert len(await house.records.scan("memory:episode:acme:")) == WINDOW + 10


async def test_episodes_expire(episodes: Episodes, clock: Clock) -> None:
    await episodes.add("acme", episode("a"))
    clock.pass_days(91)
    assert await episodes.recent("acme") == []


async def test_a_run_and_a_task_find_their_episodes(episodes: Episodes) -> None:
    await episodes.add("acme", episode("a", task="t"))
    await episodes.add("acme", episode("b", task="t", started=1_800_000_000.0))
    found = await episodes.of_run("acme", "a")
    assert found is not None and found.task == "t"
    assert [e.run for e in await episodes.of_task("acme", "t")] == ["b", "a"]
    assert await episodes.of_run("acme", "nobody") is None


async def test_forgetting_a_task_leaves_no_byte_of_its_episodes(episodes: Episodes, house: House) -> None:
    await episodes.add("acme", episode("a", task="t", goal="launch canary-51ce"))
    await episodes.add("acme", episode("b", task="u"))
    assert [e.run for e in await episodes.forget("acme", "t")] == ["a"]
    assert [e.run for e in await episodes.recent("acme")] == ["b"]
    assert b"canary-51ce" not in house.bytes_of_files()


async def test_another_workspace_sees_nothing(episodes: Episodes) -> None:
    await episodes.add("acme", episode("a", task="t"))
    for other in ("other", "acm", "ACME"):
        seen = [await episodes.recent(other), await episodes.of_run(other, "a"), await episodes.forget(other, "t")]
        assert seen == [[], None, []]
    assert len(await episodes.recent("acme")) == 1


@pytest.mark.parametrize("name", ["", "a:b", "../x"])
async def test_a_bad_workspace_name_is_refused(episodes: Episodes, name: str) -> None:
    for door in (episodes.recent(name), episodes.add(name, episode("a")), episodes.forget(name, "t")):
        with pytest.raises(InvalidWorkspace):
            await door
