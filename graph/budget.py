"""The budget of a run: its account, and the end of a run that has used it up."""

from typing import Any, Literal

from langgraph.graph import END
from langgraph.types import Command

from agents.budget import Account
from domain.budgets import Amount, Budget
from domain.errors import LimitReached
from domain.events import RecoveryChosen, RunFinished
from domain.outcomes import Failure, Outcome
from graph.context import Run, amount_of
from graph.state import JsonDict, State, dumped, ended, plan_of, usage_of


def account_of(state: State, budget: Budget) -> Account:
    """Return the account of a run with what it has consumed so far; nothing is added up where nothing is bounded."""
    if not budget.bounds:
        return Account("run", budget)
    spent = amount_of(usage_of(state))._replace(seconds=state.get("seconds", 0.0))
    return Account("run", budget, spent)


async def charged_time(state: State, run: Run) -> JsonDict:
    """Return what is kept of the time that a node took, and charge the workspace for it, where either is bounded."""
    took = run.account.seconds - state.get("seconds", 0.0)
    if run.services.daily is not None:
        await run.services.daily.settle(Amount(), Amount(seconds=took))
    return {"seconds": run.account.seconds} if run.account.budget.seconds is not None else {}


def end_of(state: State) -> Literal["rollback", "remember"]:
    """Return where a run goes that has a plan and does not succeed with it."""
    return "rollback" if plan_of(state).rolls_back else "remember"


def out_of_budget(limit: LimitReached, state: State, run: Run, *, fixed: bool = False) -> Command[Any]:
    """Return the way of a run whose role may not call its model any more: to its end, with what is done.

    Args:
        limit: What ran out.
        state: The run's state.
        run: The run.
        fixed: An edge leads on from the node whatever it says; the node behind it finds the limit in the state.
    """
    failure = Failure(code=limit.code, message=str(limit))
    run.emit(RecoveryChosen(rung="stop", why=str(limit)))
    if state.get("plan"):
        return Command(goto=() if fixed else end_of(state), update={"limit": dumped(failure)})
    outcome = Outcome(
        status="budget_exceeded", answer=f"This did not begin: {limit}.", failure=failure,
        usage=usage_of(state) + run.usage,
    )  # fmt: skip
    run.emit(RunFinished(outcome=outcome))
    return Command(goto=END, update=ended(outcome))
