"""Remember: say how the run ended, and keep what was learnt."""

from typing import Literal

from langgraph.types import Command

from domain.events import OutcomeRemembered, RunFinished
from domain.outcomes import Critique, Failure, Outcome, StepResult
from graph.context import Run
from graph.learning import learn
from graph.scheduler import is_lost
from graph.state import State, ended, plan_of, results_of, usage_of
from memory.tasks import TaskRecord

FAILED_STEP_CONFIDENCE = 0.1


async def remember(state: State, run: Run) -> Command[Literal["__end__"]]:
    """Store the task with its sequence, outcome and quality, and end the run."""
    outcome = concluded(state)
    task = await run.services.memory.remember(_record(state, run, outcome))
    run.emit(OutcomeRemembered(task=task.id))
    await learn(state, run, outcome, task.id)
    run.emit(RunFinished(outcome=outcome))
    return Command(goto="__end__", update=ended(outcome))


def concluded(state: State) -> Outcome:
    """Return how the run ended, from what its steps and its critique left behind."""
    results = list(results_of(state).values())
    critique = Critique.model_validate(state["critique"]) if state.get("stopped") else None
    failure = _failure(state, results)
    parts = [state.get("decision", {}), state.get("draft", {}), {"degraded": state.get("degraded", False)}]
    degraded = any(r.degraded for r in results) or bool(critique and critique.degraded)
    degraded = degraded or any(part.get("degraded") for part in parts)
    return Outcome(
        status="done" if failure is None else "rejected" if failure.code == "rejected" else "failed",
        answer=_answer(state, results, failure),
        quality=critique.score if critique else None,
        confidence=_confidence(results, critique, failure),
        degraded=degraded,
        plan=plan_of(state),
        iterations=len(state.get("attempts", [])),
        stopped=state.get("stopped", ""),
        usage=usage_of(state),
        failure=failure,
    )


def _failure(state: State, results: list[StepResult]) -> Failure | None:
    decision = state.get("decisions", {}).get("result", {}).get("decision", {})
    if decision.get("type") == "reject":
        return Failure(code="rejected", message=decision.get("message") or "a person rejected the answer")
    failed = [result for result in results if result.status == "failed"]
    lost = failed or [result for result in results if is_lost(result)]
    return lost[0].failure if lost else None


def _answer(state: State, results: list[StepResult], failure: Failure | None) -> str:
    text: str = state["draft"]["text"] if state.get("stopped") else ""
    if failure is None:
        return text
    found = text or "\n\n".join(f"### {r.step}\n{r.text}" for r in results if r.status == "done" and r.text)
    note = f"This did not finish: {failure.message}."
    return f"{note}\n\nWhat there is so far:\n\n{found}" if found else note


def _confidence(results: list[StepResult], critique: Critique | None, failure: Failure | None) -> float:
    """Return the weaker of the steps' mean confidence and the critic's score."""
    if failure is not None:
        return FAILED_STEP_CONFIDENCE
    done = [result.confidence for result in results if result.status == "done"]
    mean = sum(done) / len(done) if done else 0.0
    return min(mean, critique.score) if critique else mean


def _record(state: State, run: Run, outcome: Outcome) -> TaskRecord:
    plan = plan_of(state)
    return TaskRecord(
        workspace=run.context.workspace,
        team=run.services.team.name,
        goal=state["goal"],
        sequence=plan.sequence,
        plan=plan,
        successes=int(outcome.success),
        failures=int(not outcome.success),
        last_success=outcome.success,
        quality=outcome.quality,
        seconds=run.services.clock() - state["started"],
        error=outcome.failure.message if outcome.failure else "",
        degraded=outcome.degraded,
        versions=run.services.versions,
        run=run.run,
        user=run.context.user,
    )
