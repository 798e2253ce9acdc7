"""Events of runs that tests have told."""

from typing import Any

from domain.events import Event, ModelCalled, RunFinished, RunStarted, Stamped, StepFinished, StepStarted, ToolReturned
from domain.outcomes import Failure, Outcome, StepResult

TIME = 1_800_000_000.0


def stamped(seq: int, event: Event, *, run: str = "run-1", time: float | None = None, thread: str = "t") -> Stamped:
    at = TIME + seq if time is None else time
    return Stamped(seq=seq, time=at, thread=thread, run=run, workspace="default", event=event)


def started(goal: str = "Find the wind", team: str = "documents") -> RunStarted:
    return RunStarted(goal=goal, team=team, mode="rules")


def finished(**fields: Any) -> RunFinished:
    return RunFinished(outcome=Outcome(**{"status": "done"} | fields))


def begun(step: str = "look", agent: str = "search") -> StepStarted:
    return StepStarted(step=step, agent=agent, task="Look for the wind")


def ended(step: str = "look", agent: str = "search", **fields: Any) -> StepFinished:
    return StepFinished(result=StepResult(step=step, agent=agent, seconds=2.0, **fields))


def asked(**fields: Any) -> ModelCalled:
    return ModelCalled(**{"role": "planner", "model": "openai:gpt-5-mini", "seconds": 0.5} | fields)


def called(tool: str = "search_documents", failure: Failure | None = None, step: str = "look") -> ToolReturned:
    return ToolReturned(step=step, tool=tool, seconds=0.25, summary="the wind is strong", failure=failure)
