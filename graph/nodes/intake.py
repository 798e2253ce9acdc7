"""Intake: take the goal, or an answer that was typed instead of given, and prepare the briefing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from langgraph.types import Command

from domain.approvals import ActionRequest, typed_answer
from domain.briefings import Briefing
from domain.errors import InvalidGoal, StorageAway
from domain.events import RunFinished, RunStarted
from domain.goals import checked_goal
from domain.outcomes import Outcome
from graph.context import Run
from graph.conversation import Conversation, conversation_of, earlier_of, meant
from graph.gates import opened, pending_of
from graph.state import FRESH, JsonDict, State, dumped, ended
from memory.profiles import Profile

NOT_TAKEN = "Your message was not taken: this question is open. Answer it, or ask in a new thread."


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
    conversation, earlier = await conversation_of(state, run), earlier_of(state)
    briefing = await _briefed(goal, conversation, earlier, run)
    fresh = {"goal": goal, "run": run.run, "started": run.services.clock(), "briefing": dumped(briefing)}
    fresh |= {"folded": conversation.folded} if conversation.folded != state.get("folded", {}) else {}
    fresh |= {"earlier": earlier} if earlier != state.get("earlier", []) else {}
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


async def _briefed(goal: str, conversation: Conversation, earlier: Sequence[JsonDict], run: Run) -> Briefing:
    team = run.services.team
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
        conversation=conversation.turns,
        conversation_privacy=conversation.privacy,
        earlier=meant(goal, earlier),
    )


async def _profile(run: Run) -> Profile:
    """Return the workspace's profile; while memory is away, the team file speaks alone."""
    try:
        return await run.services.lessons.profiles.get(run.context.workspace)
    except StorageAway:
        return Profile()
