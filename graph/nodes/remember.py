"""Remember: say how the run ended, and keep what was learnt."""

from typing import Literal

from langgraph.types import Command

from domain.errors import ActionRefused, LimitReached
from domain.events import OutcomeRemembered, RunFinished
from domain.outcomes import Critique, Failure, Outcome, RunStatus, StepResult
from domain.plans import Privacy
from domain.privacy import most_private
from domain.wording import without_stop
from graph.context import Run
from graph.learning import learn, tells_nothing, worked
from graph.privacy import privacy_of
from graph.scheduler import is_lost
from graph.state import State, ended, plan_of, results_of, usage_of
from memory.tasks import TaskRecord, goal_hash

FAILED_STEP_CONFIDENCE = 0.1
_STATUS: dict[str, RunStatus] = {"rejected": "rejected", LimitReached.code: "budget_exceeded"}
"""How a run ends that failed with this code."""


async def remember(state: State, run: Run) -> Command[Literal["__end__"]]:
    """Store the task with its sequence, outcome and quality, where these say something, and end the run."""
    outcome = concluded(state)
    record = _record(state, run, outcome)
    task = goal_hash(record.team, record.goal, record.sequence)
    if not tells_nothing(state, outcome):
        await run.services.memory.remember(record)
        run.emit(OutcomeRemembered(task=task))
    await learn(state, run, outcome, task)
    run.emit(RunFinished(outcome=outcome))
    return Command(goto="__end__", update=ended(outcome, run_privacy(state)))


def run_privacy(state: State) -> Privacy:
    """Return the most private data that a run worked on; answers and memories are no less private."""
    return most_private(["internal", privacy_of(plan_of(state), results_of(state).values())])


def concluded(state: State) -> Outcome:
    """Return how the run ended, from what its steps and its critique left behind."""
    results = list(results_of(state).values())
    critique = Critique.model_validate(state["critique"]) if state.get("stopped") else None
    failure = _failure(state, results)
    parts = [state.get("decision", {}), state.get("draft", {}), {"degraded": state.get("degraded", False)}]
    degraded = any(r.degraded for r in results) or bool(critique and critique.degraded)
    degraded = degraded or any(part.get("degraded") for part in parts)
    return Outcome(
        status=_STATUS.get(failure.code, "failed") if failure else "done",
        answer=_answer(state, results, failure),
        quality=critique.score if critique else None,
        confidence=_confidence(results, critique, failure),
        degraded=degraded,
        plan=plan_of(state),
        iterations=len(state.get("attempts", [])),
        stopped=state.get("stopped", ""),
        usage=usage_of(state),
        failure=failure,
        undone=state.get("undone", []),
        kept=[] if failure is None else state.get("kept", []) or _left(state, results),
    )


def _left(state: State, results: list[StepResult]) -> list[str]:
    """Return what the steps of an unsuccessful run changed, where nothing was undone."""
    plan = plan_of(state)
    steps = {step.id: step for step in plan.steps if step.effect == "write" and step.tool}
    parts = [part for result in results if result.step in steps for part in result.parts or [result]]
    return [f"{part.step}: {part.text[:200]}" for part in parts if part.status == "done"]


def _failure(state: State, results: list[StepResult]) -> Failure | None:
    decision = state.get("decisions", {}).get("result", {}).get("decision", {})
    if decision.get("type") == "reject":
        return Failure(code="rejected", message=decision.get("message") or "a person rejected the answer")
    if state.get("limit"):
        return Failure.model_validate(state["limit"])
    failed = sorted((r for r in results if r.status == "failed"), key=_is_no_limit)
    lost = failed or [result for result in results if is_lost(result)]
    return _placed(lost[0]) if lost else None


def _placed(result: StepResult) -> Failure | None:
    """Return a step's failure with a message that says which step it was."""
    failure, step = result.failure, repr(result.step)
    if failure is None or failure.code == "rejected" or step in failure.message:  # a person's words stay as they are
        return failure
    return Failure(code=failure.code, message=f"step {step}: {failure.message}")


def _gave(result: StepResult) -> bool:
    """Return whether a result has something to show; what a person was still to see is not shown."""
    return result.status in ("done", "failed") and bool(result.text)


def _is_no_limit(result: StepResult) -> bool:
    """Sort a step that ran out of budget before those that failed otherwise."""
    return result.failure is None or result.failure.code != LimitReached.code


def _answer(state: State, results: list[StepResult], failure: Failure | None) -> str:
    text: str = state["draft"]["text"] if state.get("stopped") else ""
    if failure is None:
        return text
    note = f"This did not finish: {without_stop(failure.message)}."
    if failure.code == ActionRefused.code and state.get("limit"):  # a checkpoint holds the answer back
        return note
    best = state.get("best", {}).get("draft") or state.get("draft", {})
    found = text or best.get("text", "") or "\n\n".join(f"### {r.step}\n{r.text}" for r in results if _gave(r))
    return f"{note}\n\nWhat there is so far:\n\n{found}" if found else note


def _confidence(results: list[StepResult], critique: Critique | None, failure: Failure | None) -> float:
    """Return the weaker of the steps' mean confidence and the critic's score."""
    if failure is not None:
        return FAILED_STEP_CONFIDENCE
    done = [result.confidence for result in results if result.status == "done"]
    mean = sum(done) / len(done) if done else 0.0
    return min(mean, critique.score) if critique else mean


def _record(state: State, run: Run, outcome: Outcome) -> TaskRecord:
    plan, success = plan_of(state), worked(state, run, outcome)
    return TaskRecord(
        workspace=run.context.workspace,
        team=run.services.team.name,
        goal=state["goal"],
        sequence=plan.sequence,
        plan=plan,
        successes=int(success),
        failures=int(not success),
        last_success=success,
        quality=outcome.quality,
        seconds=run.services.clock() - state["started"],
        error="" if success else _why_not(outcome),
        degraded=outcome.degraded,
        privacy=run_privacy(state),
        versions=run.services.versions,
        run=run.run,
        user=run.context.user,
    )


def _why_not(outcome: Outcome) -> str:
    """Return why a run does not speak for its sequence."""
    return outcome.failure.message if outcome.failure else "its quality was below what is wanted"
