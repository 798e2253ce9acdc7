"""Intake: take the goal, or an answer that was typed instead of given, and prepare the briefing."""

from datetime import UTC, datetime
from typing import Literal

from langchain_core.messages import AnyMessage
from langgraph.types import Command

from domain.approvals import ActionRequest, typed_answer
from domain.briefings import Briefing
from domain.errors import InvalidGoal, StorageAway
from domain.events import RunFinished, RunStarted
from domain.goals import checked_goal
from domain.outcomes import Outcome
from domain.plans import Privacy
from domain.privacy import CLASSES
from graph.context import Run
from graph.gates import opened, pending_of
from graph.state import FRESH, TURN_PRIVACY, JsonDict, State, dumped, ended
from memory.profiles import Profile

NOT_TAKEN = "Your message was not taken: this question is open. Answer it, or ask in a new thread."
CONVERSATION_TURNS = 6
"""Earlier messages that go into the briefing."""


async def intake(
    state: State, run: Run
) -> Command[Literal["recall", "approve_plan", "approve_steps", "approve_result", "approve_undo", "__end__"]]:
    """Open a new goal; or, while a question is open, take a typed "yes" or "no, because ..." to its gate."""
    said = _said(state)
    if state.get("gate"):
        decision = typed_answer(said, pending_of(state))
        if decision:
            update: JsonDict = {"answer": [dumped(decision)] * len(state["pending"])}
        else:
            update = opened(state["gate"], [_not_taken(request) for request in pending_of(state)])
        return Command(goto=state["gate"], update=update)  # type: ignore[arg-type]
    try:
        goal = checked_goal(said)
    except InvalidGoal as error:
        outcome = Outcome(status="asked", answer=str(error))
        run.emit(RunFinished(outcome=outcome))
        return Command(goto="__end__", update=ended(outcome))
    run.emit(RunStarted(goal=goal, team=run.services.team.name, mode=run.services.cast.mode))
    briefing = await _briefed(state, run)
    fresh = {"goal": goal, "run": run.run, "started": run.services.clock(), "briefing": dumped(briefing)}
    reset = {name: value for name, value in FRESH.items() if state.get(name, value) != value}
    return Command(goto="recall", update=reset | fresh | {"outcome": {}})  # which callers get, and so is never absent


def _said(state: State) -> str:
    """Return what the person has said last; what anybody else says is neither a goal nor an answer."""
    last = state["messages"][-1] if state["messages"] else None
    return str(last.text) if last is not None and last.type == "human" else ""


def _not_taken(request: ActionRequest) -> ActionRequest:
    """Return the open request with a word on why the last message had no effect."""
    if request.description.startswith(NOT_TAKEN):
        return request
    return request.model_copy(update={"description": f"{NOT_TAKEN}\n{request.description}"})


async def _briefed(state: State, run: Run) -> Briefing:
    team, earlier = run.services.team, state["messages"][:-1][-CONVERSATION_TURNS:]
    profile = await _profile(run)
    return Briefing(
        workspace=run.context.workspace,
        user=run.context.user,
        correlation_id=run.run,
        today=datetime.fromtimestamp(run.services.clock(), tz=UTC).date().isoformat(),
        brand_voice=team.brand_voice | profile.brand_voice,
        target_profiles=profile.target_profiles,
        preferences=profile.preferences,
        materials=await run.services.materials(),
        conversation=[f"{message.type}: {message.text}" for message in earlier],
        conversation_privacy=[turn_privacy(message) for message in earlier],
    )


def turn_privacy(message: AnyMessage) -> Privacy:
    """Return how private a turn of the conversation is; one that says something unknown is taken for secret."""
    said = message.additional_kwargs.get(TURN_PRIVACY, "internal")
    return next((data for data in CLASSES if data == said), "secret")


async def _profile(run: Run) -> Profile:
    """Return the workspace's profile; while memory is away, the team file speaks alone."""
    try:
        return await run.services.lessons.profiles.get(run.context.workspace)
    except StorageAway:
        return Profile()
