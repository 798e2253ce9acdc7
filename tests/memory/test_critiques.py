import pytest

from domain.errors import InvalidWorkspace
from domain.outcomes import Critique
from memory.critiques import Critiques, FailedAttempt, content_id
from memory.provenance import Provenance
from tests.memory.conftest import Clock, House

POOR = Critique(score=0.3, aspects={"clarity": 0.2}, issues=["Name the source.", "Cut the adjectives."])


@pytest.fixture
def critiques(house: House, clock: Clock) -> Critiques:
    return Critiques(house.records, clock=clock)


def attempt(run: str, goal: str = "do it") -> FailedAttempt:
    provenance = Provenance(writer="tool", run=run)
    return FailedAttempt(
        run=run, goal=goal, sequence=["a"], code="tool_failed", message="gone", time=1.0, provenance=provenance
    )


async def test_a_critique_is_kept_under_its_content(critiques: Critiques, house: House) -> None:
    record = await critiques.add("acme", "r1", "A  draft", POOR)
    assert (record.content_id, record.issue_count) == (content_id("A draft"), 2)
    assert await critiques.get("acme", record.content_id) == record
    [(key, value)] = await house.records.scan("memory:critique:")
    assert key == f"memory:critique:acme:{record.content_id}"
    assert {"content_id", "critique", "issues", "issue_count"} <= value.keys()
    assert not record.provenance.trusted


async def test_both_expire_after_a_week(critiques: Critiques, clock: Clock) -> None:
    await critiques.add("acme", "r1", "draft", POOR)
    await critiques.add_attempt("acme", attempt("r1"))
    clock.pass_days(6.9)
    assert (len(await critiques.recent("acme")), len(await critiques.attempts("acme"))) == (1, 1)
    clock.pass_days(0.2)
    assert (await critiques.recent("acme"), await critiques.attempts("acme")) == ([], [])


async def test_forgetting_runs_leaves_no_byte(critiques: Critiques, house: House) -> None:
    for run in ("r1", "r2"):
        await critiques.add("acme", run, f"text of {run}", POOR.model_copy(update={"issues": [f"canary-{run}"]}))
        await critiques.add_attempt("acme", attempt(run, f"canary-{run}"))
    await critiques.forget("acme", {"r1"})
    assert b"canary-r1" not in house.bytes_of_files()
    assert (len(await critiques.recent("acme")), [a.run for a in await critiques.attempts("acme")]) == (1, ["r2"])


async def test_another_workspace_sees_nothing(critiques: Critiques) -> None:
    record = await critiques.add("acme", "r1", "draft", POOR)
    await critiques.add_attempt("acme", attempt("r1"))
    for other in ("other", "acm", "ACME"):
        seen = [
            await critiques.recent(other),
            await critiques.attempts(other),
            await critiques.get(other, record.content_id),
        ]
        assert seen == [[], [], None]
        await critiques.forget(other, {"r1"})
    assert len(await critiques.recent("acme")) == 1
    with pytest.raises(InvalidWorkspace):
        await critiques.recent("a:b")
