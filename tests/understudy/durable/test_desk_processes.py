"""Several real processes at one desk: of what they do at once, one thing happens, and it happens once."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.forks import Forks
from tests.postgres import new_database
from tests.understudy.durable.desk_child import act
from tests.understudy.durable.desks import NOON, open_reception, question, request

QUESTIONS = 12
LATER = NOON + 3600


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[SecretStr | None]:
    if request.param == "sqlite":
        yield None
        return
    with new_database() as url:
        yield url


class AtOnce:
    """Lets processes begin at the same moment, each with the time that it goes by, and returns what they report."""

    def __init__(self, forks: Forks, folder: Path, url: SecretStr | None) -> None:
        self._forks, self._folder, self._address = forks, str(folder), url.get_secret_value() if url else ""

    def __call__(self, *children: Sequence[str | float]) -> list[dict[str, str]]:
        with ExitStack() as stack:
            running = []
            for now, *child in children:
                args = [self._folder, str(now), self._address, *map(str, child)]
                running.append(stack.enter_context(self._forks.start(act, *args, stdin=True)))
            for process in running:
                assert process.stdout.readline() == "ready\n"
            for process in running:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            outputs = [(process.stdout.read(), process.wait()) for process in running]
        return [json.loads(output) if output else {"killed": str(code)} for output, code in outputs]


@pytest.fixture
def at_once(forks: Forks, tmp_path: Path, database_url: SecretStr | None) -> AtOnce:
    return AtOnce(forks, tmp_path, database_url)


async def test_of_several_answers_one_wins_and_all_are_noted(
    tmp_path: Path, database_url: SecretStr | None, at_once: AtOnce
) -> None:
    async with open_reception(tmp_path, database_url) as at:
        for number in range(QUESTIONS):
            await at.desk.open(question(f"q{number:02}"))
        people = ("ann", "bob", "cem")
        reports = at_once(*((NOON, "answer", by, "approve") for by in people))
        for number in range(QUESTIONS):
            name = f"q{number:02}"
            kept = await at.desk.get("default", name)
            assert kept.closed_by in people
            told = {report[name] for report in reports}
            assert told == {kept.closed_by, f"refused: {kept.closed_by}"}
            assert len(kept.votes) == 1
        noted = await at.noted()
    assert len([entry for entry in noted if entry.kind == "decision"]) == 3 * QUESTIONS


async def test_a_decision_and_its_time_out_have_one_winner(
    tmp_path: Path, database_url: SecretStr | None, at_once: AtOnce
) -> None:
    async with open_reception(tmp_path, database_url) as at:
        for number in range(QUESTIONS):
            await at.desk.open(question(f"q{number:02}", request(on_timeout="reject")))
        # The one who answers goes by a clock that is behind, as on another machine, so nothing is over for it.
        _, given = at_once((LATER, "settle"), (NOON, "answer", "bob", "approve"))
        for name, told in given.items():
            kept = await at.desk.get("default", name)
            assert [vote.by for vote in kept.votes] == [kept.closed_by]
            assert (kept.closed_by, told) in {("bob", "bob"), ("timeout", "refused: timeout")}
        noted = [(entry.data["question"], entry.kind) for entry in await at.noted()]
        for name, told in given.items():
            # The answer is noted in both cases; a time-out that came too late never happened.
            assert noted.count((name, "decision")) == 1
            assert noted.count((name, "timeout")) == (told != "bob")


async def test_timers_fire_once_whoever_settles(
    tmp_path: Path, database_url: SecretStr | None, at_once: AtOnce
) -> None:
    async with open_reception(tmp_path, database_url) as at:
        for number in range(QUESTIONS):
            await at.desk.open(question(f"q{number:02}"))
        reports = at_once(*[(LATER, "settle")] * 3)
        fired = [name for report in reports for name in report]
        assert sorted(fired) == [f"q{number:02}" for number in range(QUESTIONS)]
        notices = await at.notices()
        noted = await at.noted()
    assert notices.count(("expired", "waiting")) == QUESTIONS
    assert [entry.kind for entry in noted].count("timeout") == QUESTIONS


async def test_a_process_that_dies_after_the_decision_leaves_nothing_undone(
    tmp_path: Path, database_url: SecretStr | None, at_once: AtOnce
) -> None:
    async with open_reception(tmp_path, database_url) as at:
        await at.desk.open(question("q1"))
        assert at_once((NOON, "die")) == [{"killed": str(-signal.SIGKILL)}]
        assert [q.id for q in await at.desk.ready()] == ["q1"]
        again = await at.desk.answer("default", "q1", {"type": "approve"}, by="bob")
        assert len(again.votes) == 1
        kinds = [entry.kind for entry in await at.noted()]
    assert kinds == ["question", "decision"]
