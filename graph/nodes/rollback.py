"""Rollback: what the steps of a plan that did not succeed have changed is undone."""

from contextlib import suppress
from typing import Literal

from langgraph.types import Command

from domain.errors import StorageAway
from domain.events import StepHeld
from graph.audited import EffectNotes
from graph.context import Run
from graph.gates import decision_for, opened
from graph.state import State, dumped, results_of
from graph.undoing import Undoer


async def rollback(state: State, run: Run) -> Command[Literal["approve_undo", "remember"]]:
    """Undo the run's effects, the last one first; where nobody knows what happened, ask a person and come back."""
    services = run.services
    undoer = Undoer(
        ledger=services.effects,
        workspace=run.context.workspace,
        tools=services.tools,
        decide=lambda request: decision_for(request, state),
        emit=run.emit,
        notes=EffectNotes(services.audit, run.context.workspace, run.context.user, thread=run.conversation),
    )
    far = await undoer.undo(run.run)
    if far.question is not None:
        run.emit(StepHeld(request=far.question))
        return Command(goto="approve_undo", update=opened("approve_undo", [far.question]))
    with suppress(StorageAway):  # it is a help for later decisions, and nothing rests on it
        await services.lessons.decisions.undone(run.context.workspace, run.run, far.steps)
    results = results_of(state)
    for step in far.steps & results.keys():
        results[step] = results[step].model_copy(update={"status": "undone"})
    update = {"results": {key: dumped(result) for key, result in results.items()}}
    return Command(goto="remember", update=update | {"undone": far.undone, "kept": far.kept})
