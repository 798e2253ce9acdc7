"""What a finished run teaches beside its task: an episode, a recipe, a failed attempt, how its agents did."""

from contextlib import suppress

from domain.errors import ConsentRefused, StorageAway
from domain.outcomes import Outcome
from domain.plans import RESULT
from domain.routing import RouteDecision
from graph.acts import propose_earned
from graph.context import Run
from graph.delegating import observe_run
from graph.state import State, plan_of
from graph.voices import CLOCK
from memory.critiques import FailedAttempt
from memory.episodes import Episode
from memory.provenance import Provenance

_REJECTED = "rejected"
"""Code of a run that ended because somebody, or the clock, said no."""


def worked(state: State, run: Run, outcome: Outcome) -> bool:
    """Return whether a run speaks for its sequence: it came to its end, and what it gave was good enough.

    Good enough is what the critic gave the score that the team wants, or a person let pass who had seen it.
    """
    enough = outcome.quality is None or outcome.quality >= run.services.team.quality.min_quality_score
    return outcome.success and (enough or _accepted(state))


def tells_nothing(state: State, outcome: Outcome) -> bool:
    """Return whether a run that did not come to its end says nothing about its sequence.

    A person withheld a consent, or nobody answered a question in time; a person who rejects the work says something.
    """
    code = outcome.failure.code if outcome.failure else ""
    if code != _REJECTED:
        return code == ConsentRefused.code
    entries = [entry for entry in state.get("decisions", {}).values() if not entry.get("over")]
    rejections = [entry["decision"] for entry in entries if entry["decision"]["type"] == "reject"]
    return bool(rejections) and all(decision.get("by") == CLOCK for decision in rejections)


def _accepted(state: State) -> bool:
    """Return whether a person approved the final draft, or a step that delivers it."""
    shown = {RESULT, *(step.id for step in plan_of(state).steps if step.delivers)}
    decided = {key: entry["decision"]["type"] for key, entry in state.get("decisions", {}).items()}
    return any(decided.get(key) in ("approve", "edit") for key in shown)


async def learn(state: State, run: Run, outcome: Outcome, task: str) -> None:
    """Keep what a finished run teaches; doing it again for the same run changes nothing."""
    lessons, workspace = run.services.lessons, run.context.workspace
    episode = _episode(state, run, outcome, task).model_copy(update={"policy": await _policy(run)})
    await lessons.episodes.add(workspace, episode)
    if episode.telling:
        if not outcome.success and run.services.team.quality.store_failures:
            await lessons.critiques.add_attempt(workspace, _attempt(episode))
        with suppress(StorageAway):  # what was written so far waits on disk; the next success shows a pattern again
            await lessons.recipes.learn(workspace, episode, plan_of(state))
    with suppress(StorageAway):
        await observe_run(state, run, outcome)
    with suppress(StorageAway):
        effects = await run.services.effects.of_run(workspace, run.run)
        await propose_earned([entry.effect for entry in effects if entry.state == "done"], run)


def _episode(state: State, run: Run, outcome: Outcome, task: str) -> Episode:
    plan, failure = plan_of(state), outcome.failure
    decisions = [entry["decision"]["type"] for entry in state.get("decisions", {}).values()]
    return Episode(
        run=run.run,
        thread=run.conversation,
        started=state["started"],
        team=run.services.team.name,
        goal=state["goal"],
        kind=RouteDecision.model_validate(state["decision"]).kind,
        task=task,
        sequence=plan.sequence,
        source=plan.source,
        recipe=state.get("recipe", ""),
        status=outcome.status,
        success=worked(state, run, outcome),
        telling=not tells_nothing(state, outcome),
        quality=outcome.quality,
        seconds=run.services.clock() - state["started"],
        usage=outcome.usage,
        error_code=failure.code if failure else "",
        error=failure.message if failure else "",
        degraded=outcome.degraded,
        approvals=len(decisions),
        overrides=sum(kind != "approve" for kind in decisions),
        provenance=Provenance(writer="person", run=run.run, user=run.context.user),
    )


async def _policy(run: Run) -> str:
    """Return the hash of the rules in force, or nothing where nobody can tell it now."""
    try:
        return (await run.services.constraints.active(run.context.workspace)).hash
    except StorageAway:
        return ""


def _attempt(episode: Episode) -> FailedAttempt:
    return FailedAttempt(
        run=episode.run,
        goal=episode.goal,
        sequence=episode.sequence,
        code=episode.error_code,
        message=episode.error,
        time=episode.started + episode.seconds,
        provenance=Provenance(writer="tool", run=episode.run, user=episode.provenance.user),
    )
