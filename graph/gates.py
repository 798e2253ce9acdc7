"""Gates: whether a checkpoint asks, the one question it asks, and the answer that stays valid for what was shown."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from langgraph.types import interrupt

from agents.team import Team
from domain.approvals import ActionRequest, Decision, decode, interrupt_payload
from domain.checkpoints import Checkpoint, evaluate
from domain.errors import InvalidDecision
from domain.events import ApprovalDecided, CheckpointPassed
from domain.plans import Plan
from graph.context import Run
from graph.state import JsonDict, State, dumped


def asking(checkpoints: Iterable[Checkpoint], data: Mapping[str, Any], run: Run) -> tuple[Checkpoint, str] | None:
    """Return the first checkpoint that wants a person, with its reason; the others let the run pass and say so."""
    for checkpoint in checkpoints:
        verdict = evaluate(checkpoint, data, user=run.context.user)
        if verdict.status == "pending_approval":
            return checkpoint, verdict.reason
        run.emit(CheckpointPassed(checkpoint=checkpoint.name, reason=verdict.reason))
    return None


def digest_of(request: ActionRequest) -> str:
    """Return the hash of what a person is shown; a decision holds for this and nothing else."""
    shown = json.dumps([request.name, request.args], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()


def decision_for(request: ActionRequest, state: State) -> Decision | None:
    """Return the decision that a person gave for exactly this request, or None."""
    entry = state.get("decisions", {}).get(request.id)
    if entry is None or entry["digest"] != digest_of(request):
        return None
    return Decision.model_validate(entry["decision"])


def opened(gate: str, requests: Sequence[ActionRequest]) -> JsonDict:
    """Return the update that opens a question; written before the gate node runs, so that it survives."""
    return {"gate": gate, "pending": [dumped(request) for request in requests], "answer": []}


def pending_of(state: State) -> list[ActionRequest]:
    """Return the requests of the open question."""
    return [ActionRequest.model_validate(value) for value in state.get("pending", [])]


Check = Callable[[ActionRequest, Decision], Awaitable[None]]
"""Raises `InvalidDecision` for a decision that cannot be carried out."""


async def answered(state: State, run: Run, check: Check | None = None) -> list[tuple[ActionRequest, Decision]]:
    """Return the open requests with a person's decisions; interrupts the run until there are some that fit."""
    requests = pending_of(state)
    typed = [Decision.model_validate(value) for value in state.get("answer", [])]
    decisions = await _asked(requests, typed, check)
    pairs = list(zip(requests, decisions, strict=True))
    for request, decision in pairs:
        run.emit(ApprovalDecided(request=request.id, decision=decision))
    return pairs


async def _asked(
    requests: Sequence[ActionRequest], decisions: Sequence[Decision], check: Check | None
) -> Sequence[Decision]:
    payload = interrupt_payload(requests)
    note = ""
    while True:
        try:
            decisions = decisions or decode(
                interrupt(payload | {"description": note + payload["description"]}), requests
            )
            for request, decision in zip(requests, decisions, strict=True):
                if check is not None:
                    await check(request, decision)
        except InvalidDecision as error:
            note, decisions = f"The last answer could not be used: {error}.\n\n", ()
        else:
            return decisions


def closed(state: State, pairs: Sequence[tuple[ActionRequest, Decision]]) -> JsonDict:
    """Return the update that closes the question and freezes its decisions."""
    entries = {r.id: {"decision": dumped(d), "digest": digest_of(r)} for r, d in pairs}
    return {"gate": "", "pending": [], "answer": [], "decisions": state.get("decisions", {}) | entries}


def plan_request(plan: Plan, team: Team, run: Run, worries: Sequence[str] = ()) -> ActionRequest | None:
    """Return the question about a plan that is about to run, or None when no checkpoint asks and nothing worries."""
    asks = asking(team.checkpoints_at("BEFORE_EXECUTION", None), {"confidence": plan.confidence}, run)
    if asks is None and not worries:
        return None
    what = f"The plan ({plan.source}):\n{_steps_in_words(plan)}\n{plan.rationale}"
    noted = "\n".join([what, *(f"Look closely: {worry}." for worry in worries)])
    return ActionRequest(
        id="plan",
        name="review_plan",
        args={"steps": [dumped(step) for step in plan.steps]},
        types={"steps": "array"},
        checkpoint=asks[0].name if asks else "",
        description=_described(asks, noted) if asks else noted,
    )


def _steps_in_words(plan: Plan) -> str:
    return "\n".join(
        f"- {s.id}: {s.agent} — {s.task}" + (f" [{s.effect}]" if s.effect == "write" else "") for s in plan.steps
    )


def result_request(text: str, data: Mapping[str, Any], team: Team, run: Run) -> ActionRequest | None:
    """Return the question about a final draft, or None when no checkpoint asks."""
    asks = asking(team.checkpoints_at("AFTER_STAGE", "result"), data, run)
    if asks is None:
        return None
    return ActionRequest(
        id="result",
        name="review_result",
        args={"text": text},
        types={"text": "string"},
        checkpoint=asks[0].name,
        description=_described(asks, "The answer is ready for your review."),
    )


def step_request(
    checkpoints: Iterable[Checkpoint], data: Mapping[str, Any], run: Run, request: ActionRequest
) -> ActionRequest | None:
    """Return the question about a step with the reason for it, or None when no checkpoint asks."""
    asks = asking(checkpoints, data, run)
    if asks is None:
        return None
    return request.model_copy(update={"checkpoint": asks[0].name, "description": _described(asks, request.description)})


def carried_request(request: ActionRequest, words: Sequence[str]) -> ActionRequest:
    """Return the question about a step that would use words from memory, naming them."""
    named = ", ".join(f"{word!r:.100}" for word in words[:5])
    note = f"Look closely: {named} came from memory, not from your request."
    return request.model_copy(update={"description": f"{request.description}\n{note}"})


def _described(asks: tuple[Checkpoint, str], what: str) -> str:
    checkpoint, reason = asks
    purpose = f" — {checkpoint.description}" if checkpoint.description else ""
    return f"{what}\nWhy you are asked: checkpoint {checkpoint.name!r}{purpose} ({reason})."
