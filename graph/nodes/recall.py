"""Recall: ask task memory for similar goals and a calibrated confidence, and the trials for this run's variants."""

from functools import partial
from typing import Literal

from langgraph.types import Command

from domain.errors import StorageAway
from domain.events import MemoryRecalled, RoleDegraded
from domain.routing import Recall
from graph.context import Run
from graph.lacking import lacking_here
from graph.privacy import recall_for
from graph.state import JsonDict, State, dumped
from graph.trying import drawn


async def recall(state: State, run: Run) -> Command[Literal["supervisor"]]:
    """Look the goal up in the workspace's task memory; while it is away, go on as if nothing were remembered."""
    services = run.services
    try:
        found = await services.memory.recall(
            run.context.workspace,
            services.team.name,
            state["goal"],
            versions=services.versions,
            lacks=partial(lacking_here, run, state["goal"]),
        )
    except StorageAway as away:
        run.emit(RoleDegraded(role="memory", reason=str(away)))
        found = Recall(explanation=f"Nothing could be recalled: {away}.")
    run.emit(MemoryRecalled(recall=found))
    told = recall_for(found, run).neighbours
    successes = [n.goal for n in told if n.success]
    briefing = state["briefing"] | {"past_successes": successes, "task_history": [n.goal for n in told]}
    briefing["corrections"] = await _corrections(found, run)
    update = {"recall": dumped(found), "briefing": briefing, "trials": await drawn(run)}
    return Command(goto="supervisor", update=update)


async def _corrections(found: Recall, run: Run) -> list[JsonDict]:
    """Return what people corrected in the results of similar goals; nothing while memory is away."""
    try:
        known = await run.services.lessons.feedback.corrections(run.context.workspace, found.neighbours)
    except StorageAway:
        return []
    return [dumped(correction) for correction in known]
