import pytest

from domain.briefings import Correction
from domain.errors import InvalidFeedback, InvalidWorkspace, UnknownRun
from domain.plans import Plan, Step
from domain.routing import Neighbour
from memory.episodes import Episode
from memory.feedback import MIN_SAMPLES, SHOWN_CHARS, SHOWN_CORRECTIONS, SIMILAR_FROM, Feedback, reward
from memory.lessons import Lessons
from memory.provenance import Provenance
from memory.tasks import TaskRecord
from tests.memory.conftest import Clock, House, success
from tests.memory.test_episodes import episode

ANN = Provenance(writer="person", user="ann")
PLAN = Plan(steps=[Step(id="a", agent="content", task="t")])
BLOG = "Create a blog post about AI trends"


@pytest.fixture
def lessons(house: House, clock: Clock) -> Lessons:
    return Lessons.of(house.records, house.tasks, clock=clock)


async def ran(house: House, lessons: Lessons, run: str = "r1", goal: str = BLOG, quality: float = 0.9) -> TaskRecord:
    task = await house.tasks.remember(success(goal, "content", quality=quality).model_copy(update={"run": run}))
    await lessons.episodes.add("acme", _episode(run, task, quality))
    return task


def _episode(run: str, task: TaskRecord, quality: float) -> Episode:
    return episode(run, "content", goal=task.goal, task=task.id, quality=quality, thread=f"thread-{run}")


@pytest.mark.parametrize(
    "bad", [{"rating": 1}, {"rating": 2}, {"correction": "wrong name"}, {"rating": 3, "correction": "x"}]
)
async def test_bad_feedback_changes_the_next_route(house: House, lessons: Lessons, bad: dict[str, object]) -> None:
    await ran(house, lessons)
    assert (await house.tasks.recall("acme", "marketing", BLOG)).band == "reuse"
    received = await lessons.feedback.give("acme", "r1", ANN, **bad)  # type: ignore[arg-type]
    assert (received.successes, received.failures) == (0, 1)
    after = await house.tasks.recall("acme", "marketing", BLOG)
    assert (after.band, after.sequence) == ("plan", [])


async def test_a_bad_rating_of_one_run_among_many_lowers_the_confidence(house: House, lessons: Lessons) -> None:
    for number in range(6):
        await ran(house, lessons, f"r{number}")
    before = (await house.tasks.recall("acme", "marketing", BLOG)).confidence
    received = await lessons.feedback.give("acme", "r5", ANN, rating=1)
    assert (received.successes, received.failures) == (5, 1)
    assert (await house.tasks.recall("acme", "marketing", BLOG)).confidence < before


async def test_a_recipe_of_a_run_that_was_not_accepted_is_taken_out_of_use(house: House, lessons: Lessons) -> None:
    for number, topic in enumerate(("bees", "maps", "wind")):
        goal = f"Write a blog about {topic} for teachers"
        task = await ran(house, lessons, f"r{number}", goal)
        await lessons.recipes.learn("acme", _episode(f"r{number}", task, 0.9), PLAN)
    assert await lessons.recipes.adapted("acme", "marketing", "Write a blog about art for teachers")
    for rating in (1, 2):
        await lessons.feedback.give("acme", "r0", ANN, rating=rating)
    [pattern] = await lessons.recipes.patterns("acme")
    assert (pattern.failures, pattern.ready) == (1, False)


async def test_good_feedback_leaves_the_route(house: House, lessons: Lessons) -> None:
    await ran(house, lessons)
    await lessons.feedback.give("acme", "r1", ANN, rating=5)
    assert (await house.tasks.recall("acme", "marketing", BLOG)).band == "reuse"


async def test_a_run_is_rated_once_however_often(house: House, lessons: Lessons) -> None:
    task = await ran(house, lessons)
    for rating in (1, 1, 2, 1):
        await lessons.feedback.give("acme", "r1", ANN, rating=rating)
    demoted = await house.tasks.get("acme", task.id)
    assert demoted is not None and (demoted.successes, demoted.failures, demoted.last_success) == (0, 1, False)
    await lessons.feedback.give("acme", "r1", ANN, rating=5)
    restored = await house.tasks.get("acme", task.id)
    assert restored is not None and (restored.successes, restored.failures, restored.last_success) == (1, 0, True)
    assert len(await lessons.feedback.recent("acme")) == 1


async def test_praise_makes_no_success_of_a_failure(house: House, lessons: Lessons) -> None:
    task = await ran(house, lessons)
    failed = episode("r2", "content", task=task.id, success=False)
    await lessons.episodes.add("acme", failed)
    received = await lessons.feedback.give("acme", "r2", ANN, rating=5)
    assert (received.successes, received.failures, received.reward) == (1, 0, 0.0)


async def test_the_thread_names_its_latest_run(house: House, lessons: Lessons) -> None:
    await ran(house, lessons)
    assert (await lessons.feedback.give("acme", "thread-r1", ANN, rating=4)).feedback.run == "r1"


@pytest.mark.parametrize(
    ("outcome", "feedback", "samples", "earned"),
    [(0.9, 0.0, MIN_SAMPLES, 0.9), (0.9, 0.0, MIN_SAMPLES + 1, 0.63), (0.0, 1.0, 11, 0.3), (1.0, 1.0, 11, 1.0)],
    ids=["too few samples", "bad feedback", "a failure", "all good"],
)
def test_the_reward(outcome: float, feedback: float, samples: int, earned: float) -> None:
    assert reward(outcome, feedback, samples) == pytest.approx(earned)


async def test_above_ten_samples_feedback_is_part_of_the_reward_and_of_the_quality(
    house: House, lessons: Lessons
) -> None:
    for number in range(MIN_SAMPLES + 1):
        task = await ran(house, lessons, f"r{number}", f"{BLOG} {number}")
        received = await lessons.feedback.give("acme", f"r{number}", ANN, rating=3)
    assert received.reward == pytest.approx(0.7 * 0.9 + 0.3 * 0.5)
    rated = await house.tasks.get("acme", task.id)
    assert rated is not None and rated.quality == pytest.approx(received.reward)


@pytest.mark.parametrize("bad", [{}, {"correction": " "}, {"rating": 0}, {"rating": 6}, {"correction": "x" * 20_001}])
async def test_feedback_that_says_nothing_is_refused(house: House, lessons: Lessons, bad: dict[str, object]) -> None:
    task = await ran(house, lessons)
    with pytest.raises(InvalidFeedback):
        await lessons.feedback.give("acme", "r1", ANN, **bad)  # type: ignore[arg-type]
    assert await house.tasks.get("acme", task.id) == task


async def test_the_override_rate(house: House, lessons: Lessons) -> None:
    assert await lessons.feedback.override_rate("acme") is None
    for run, correction in (("a", "better"), ("b", ""), ("c", ""), ("d", "")):
        await ran(house, lessons, run)
        await lessons.feedback.give("acme", run, ANN, rating=4, correction=correction)
    assert await lessons.feedback.override_rate("acme") == 0.25


async def test_another_workspace_neither_sees_nor_gives_feedback(house: House, lessons: Lessons) -> None:
    await ran(house, lessons)
    await lessons.feedback.give("acme", "r1", ANN, correction="canary-81aa")
    for other in ("other", "acm", "ACME"):
        assert (await lessons.feedback.recent(other), await lessons.feedback.get(other, "r1")) == ([], None)
        with pytest.raises(UnknownRun):
            await lessons.feedback.give(other, "r1", ANN, rating=1)
    for name in ("", "a:b"):
        with pytest.raises(InvalidWorkspace):
            await lessons.feedback.recent(name)
    given = await lessons.feedback.get("acme", "r1")
    assert isinstance(given, Feedback) and given.correction == "canary-81aa"


async def test_forgetting_a_task_leaves_no_byte_of_what_was_learnt_from_it(house: House, lessons: Lessons) -> None:
    task = await ran(house, lessons, "r1", "launch project canary-33cd now")
    other = await ran(house, lessons, "r2", "water the plants at noon")
    for run, kept in (("r1", task), ("r2", other)):
        await lessons.feedback.give("acme", run, ANN, rating=2, correction=f"{kept.goal}, better")
    assert b"canary-33cd" in house.bytes_of_files()
    assert await house.tasks.forget("acme", task.id)
    assert [e.run for e in await lessons.forget("acme", task.id)] == ["r1"]
    assert b"canary-33cd" not in house.bytes_of_files()
    assert [f.run for f in await lessons.feedback.recent("acme")] == ["r2"]


def near(task: str, goal: str = BLOG, similarity: float = 0.9) -> Neighbour:
    return Neighbour(task=task, goal=goal, sequence=[], similarity=similarity, success=True, age_days=0)


async def test_similar_goals_are_told_what_was_corrected_few_and_short(
    house: House, lessons: Lessons, clock: Clock
) -> None:
    for number in range(SHOWN_CORRECTIONS + 1):
        task = await ran(house, lessons, f"r{number}")
        clock.now += 1
        await lessons.feedback.give("acme", f"r{number}", ANN, rating=5, correction=f"{number} " + "x" * SHOWN_CHARS)
    told = await lessons.feedback.corrections("acme", [near(task.id)])
    assert [(c.goal, c.text[0], len(c.text)) for c in told] == [(BLOG, n, SHOWN_CHARS + 6) for n in "321"]
    assert told[0].text.endswith("x [...]")
    assert await lessons.feedback.corrections("acme", [near(task.id, similarity=SIMILAR_FROM - 0.01)]) == []
    assert await lessons.feedback.corrections("acme", [near("other")]) == []
    assert await lessons.feedback.corrections("other", [near(task.id)]) == []


async def test_a_rating_alone_and_an_agents_correction_are_not_told(house: House, lessons: Lessons) -> None:
    task = await ran(house, lessons)
    await lessons.feedback.give("acme", "r1", ANN, rating=1)
    assert await lessons.feedback.corrections("acme", [near(task.id)]) == []
    await lessons.feedback.give("acme", "r1", Provenance(writer="agent"), correction="send it to me")
    assert await lessons.feedback.corrections("acme", [near(task.id)]) == []
    await lessons.feedback.give("acme", "r1", ANN, correction="Name the year.")
    told = await lessons.feedback.corrections("acme", [near(task.id)])
    assert told == [Correction(goal=BLOG, text="Name the year.")]


async def test_a_correction_goes_with_its_task_also_when_the_episode_has_gone_before(
    house: House, lessons: Lessons
) -> None:
    task = await ran(house, lessons)
    await lessons.feedback.give("acme", "r1", ANN, correction="canary-77")
    await lessons.episodes.forget("acme", task.id)
    await lessons.forget("acme", task.id)
    assert await lessons.feedback.recent("acme") == []
    assert b"canary-77" not in house.bytes_of_files()


async def test_a_run_that_was_undone_is_a_success_no_more(house: House, lessons: Lessons) -> None:
    task = await ran(house, lessons)
    for _ in range(2):
        await lessons.feedback.retract("acme", "r1")
        stored = await house.tasks.get("acme", task.id)
        assert stored is not None
        assert (stored.successes, stored.failures, stored.last_success) == (0, 1, False)
    [kept] = await lessons.episodes.recent("acme")
    assert (kept.success, kept.status) == (False, "undone")


async def test_praise_does_not_bring_an_undone_success_back(house: House, lessons: Lessons) -> None:
    await ran(house, lessons)
    await lessons.feedback.retract("acme", "r1")
    assert (await lessons.feedback.give("acme", "r1", ANN, rating=5)).successes == 0


async def test_retracting_an_unknown_run_changes_nothing(lessons: Lessons) -> None:
    await lessons.feedback.retract("acme", "nope")
