"""What a finished run teaches beside its task: an episode, a recipe, a failed attempt, how its agents did."""

from contextlib import suppress

from domain.errors import StorageAway
from domain.outcomes import Outcome
from domain.routing import RouteDecision
from graph.context import Run
from graph.delegating import observe_run
from graph.state import State, plan_of
from memory.critiques import FailedAttempt
from memory.episodes import Episode
from memory.provenance import Provenance


async def learn(state: State, run: Run, outcome: Outcome, task: str) -> None:
    """Keep what a finished run teaches; doing it again for the same run changes nothing."""
    lessons, workspace = run.services.lessons, run.context.workspace
    episode = _episode(state, run, outcome, task).model_copy(update={"policy": await _policy(run)})
    await lessons.episodes.add(workspace, episode)
    if not outcome.success and run.services.team.quality.store_failures:
        await lessons.critiques.add_attempt(workspace, _attempt(episode))
    with suppress(StorageAway):  # what was written so far waits on disk; a pattern is seen again with the next success
        await lessons.recipes.learn(workspace, episode, plan_of(state))
    with suppress(StorageAway):
        await observe_run(state, run, outcome)


def _episode(state: State, run: Run, outcome: Outcome, task: str) -> Episode:
    plan, failure = plan_of(state), outcome.failure
    decisions = [entry["decision"]["type"] for entry in state.get("decisions", {}).values()]
    return Episode(
        run=run.run,
        thread=run.thread.removeprefix(f"{run.context.workspace}:"),
        started=state["started"],
        team=run.services.team.name,
        goal=state["goal"],
        kind=RouteDecision.model_validate(state["decision"]).kind,
        task=task,
        sequence=plan.sequence,
        source=plan.source,
        recipe=state.get("recipe", ""),
        status=outcome.status,
        success=outcome.success,
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
