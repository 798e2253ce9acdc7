"""Gates: the one question that is asked, and the answer, which is frozen and holds for what was shown only."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from langgraph.types import interrupt

from domain.approvals import SETTLE, ActionRequest, Decision, decode, interrupt_payload, shown_digest
from domain.audit import AuditEntry
from domain.consent_words import GIVE_CONSENT
from domain.decisions import ActKind, DecisionOutcome, PastDecision, kind_of
from domain.errors import InvalidDecision, StorageAway
from domain.events import ApprovalDecided
from domain.outcomes import StepResult
from domain.voting import may_decide
from graph.context import Run
from graph.state import JsonDict, State, dumped

REVIEWS = ("review_plan", "review_step", "review_result")
"""Names of the questions about something that was made, not about something that is to be done."""
CHANGED = "What you decided on has changed since, so your decision does not count any more."


def digest_of(request: ActionRequest) -> str:
    """Return the hash of what a decision is about: the act, its arguments and its plan; it holds for nothing else."""
    about = [request.name, request.args, *([request.plan] if request.plan else [])]
    text = json.dumps(about, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def decision_for(request: ActionRequest, state: State) -> Decision | None:
    """Return the decision that a person gave for exactly this request, or None."""
    entry = state.get("decisions", {}).get(request.id)
    if entry is None or entry["digest"] != digest_of(request):
        return None
    return Decision.model_validate(entry["decision"])


def is_stale(request: ActionRequest, state: State) -> bool:
    """Return whether a person has decided on what was here before: then only a person lets the new one pass."""
    entry = state.get("decisions", {}).get(request.id)
    return entry is not None and entry["digest"] != digest_of(request)


def opened(gate: str, requests: Sequence[ActionRequest]) -> JsonDict:
    """Return the update that opens a question; written before the gate node runs, so that it survives."""
    return {"gate": gate, "pending": [dumped(request) for request in requests], "answer": []}


def pending_of(state: State) -> list[ActionRequest]:
    """Return the requests of the open question."""
    return [ActionRequest.model_validate(value) for value in state.get("pending", [])]


Check = Callable[[ActionRequest, Decision], Awaitable[None]]
"""Raises `InvalidDecision` for a decision that cannot be carried out."""


async def answered(state: State, run: Run, check: Check | None = None) -> list[tuple[ActionRequest, Decision]]:
    """Return the open requests with a person's decisions; interrupts the run until there are some that fit.

    What was decided is noted before it is acted on.

    Raises:
        StorageError: It cannot be noted in the audit.
    """
    requests = pending_of(state)
    typed = [Decision.model_validate(value) for value in state.get("answer", [])]
    decisions = await _asked(requests, typed, check, run.context.user)
    pairs = list(zip(requests, decisions, strict=True))
    for request, decision in pairs:
        await _noted(request, decision, run)
        run.emit(ApprovalDecided(request=request.id, decision=decision))
    return pairs


async def _asked(
    requests: Sequence[ActionRequest], decisions: Sequence[Decision], check: Check | None, user: str
) -> Sequence[Decision]:
    refused = ""
    while True:
        try:
            decisions = decisions or decode(interrupt(interrupt_payload(requests, refused)), requests)
            decisions = [d if d.by else d.model_copy(update={"by": user}) for d in decisions]
            for request, decision in zip(requests, decisions, strict=True):
                _refuse_strangers(request, decision)
                if check is not None:
                    await check(request, decision)
        except InvalidDecision as error:
            refused, decisions = str(error), ()
        else:
            return decisions


def _refuse_strangers(request: ActionRequest, decision: Decision) -> None:
    """Raise `InvalidDecision` where it is for others, or for more people, to decide; the desk has seen to that before.

    An answer that came past the desk is its user's alone.
    """
    if not may_decide(request.patience, decision):
        msg = f"{request.name!r} is for others, or for more people, to decide; see: understudy inbox"
        raise InvalidDecision(msg)


def closed(
    state: State, pairs: Sequence[tuple[ActionRequest, Decision]], *, now: ActionRequest | None = None
) -> JsonDict:
    """Return the update that closes the question and freezes its decisions.

    Args:
        state: The run's state.
        pairs: The requests with their decisions.
        now: What an edit has made of the only request; the decision holds for this.
    """
    entries = {r.id: _entry(r, d, now or r) for r, d in pairs}
    return {"gate": "", "pending": [], "answer": [], "decisions": state.get("decisions", {}) | entries}


def _entry(shown: ActionRequest, decision: Decision, now: ActionRequest) -> JsonDict:
    return {"decision": dumped(decision), "digest": digest_of(now), "shown": shown_digest([shown])}


def over(state: State, *requests: str) -> JsonDict:
    """Return the update that keeps decisions as history only, since what they were about is not there any more."""
    decisions = state.get("decisions", {})
    ended = {key: decisions[key] | {"over": True} for key in requests if key in decisions}
    return {"decisions": decisions | ended} if ended else {}


def act_kind(request: ActionRequest) -> ActKind:
    """Return of which kind a request is; reviews at one checkpoint are alike."""
    if request.name in REVIEWS:
        return ActKind(tool=request.name, scope=request.checkpoint)
    return kind_of(request.name, request.args)


def decision_id(request: ActionRequest, run: Run) -> str:
    """Return the id under which the decision on a request is remembered; noted twice, it is one."""
    return f"{run.run}:{request.id}:{digest_of(request)[:16]}"


async def _noted(request: ActionRequest, decision: Decision, run: Run) -> None:
    """Note a decision in the audit, and remember it as one of its kind."""
    if run.services.audit is not None:
        entry = AuditEntry(
            kind="decision",
            who=decision.by,
            why=f"{decision.type}: {request.name}",
            run=run.run,
            thread=run.conversation,
            step=request.id,
            shown=shown_digest([request]),
            data={
                "type": decision.type,
                "edited": list(_edited(request, decision)),
                "digest": digest_of(request),
                "plan": request.plan,
            },
        )
        once = f"decision:{decision_id(request, run)}:{decision.type}"
        await run.services.audit.note(run.context.workspace, entry, once=once)
    if request.name in (SETTLE, GIVE_CONSENT):
        return
    with suppress(StorageAway):  # it is a help for later decisions, and nothing rests on it
        await run.services.lessons.decisions.note(run.context.workspace, _past(request, decision, run))


def _past(request: ActionRequest, decision: Decision, run: Run) -> PastDecision:
    return PastDecision(
        id=decision_id(request, run),
        kind=act_kind(request),
        type=decision.type,
        edited=_edited(request, decision),
        by=decision.by,
        time=run.services.clock(),
        message=decision.message[:300],
        run=run.run,
        step=request.id,
        thread=run.thread,
    )


def _edited(request: ActionRequest, decision: Decision) -> tuple[str, ...]:
    return tuple(sorted(name for name, value in (decision.args or {}).items() if request.args.get(name) != value))


async def note_result(request: ActionRequest, result: StepResult, state: State, run: Run) -> None:
    """Remember what came of a step that a person let pass."""
    decision = decision_for(request, state)
    if decision is None or decision.type not in ("approve", "edit") or result.status not in ("done", "failed"):
        return
    outcome: DecisionOutcome = "done" if result.status == "done" else "failed"
    with suppress(StorageAway):
        past = _past(request, decision, run)
        await run.services.lessons.decisions.note_outcome(run.context.workspace, past, outcome)


def carried_request(request: ActionRequest, words: Sequence[str]) -> ActionRequest:
    """Return the question about a step that a person must look at, with why; no clock can answer it with a yes."""
    more = f"; and {len(words) - 5} more" if len(words) > 5 else ""
    note = f"Look closely: {'; '.join(words[:5])}{more}."
    patience = request.patience
    if patience.on_timeout == "approve":
        patience = patience.model_copy(update={"on_timeout": "halt"})
    return request.model_copy(update={"description": f"{request.description}\n{note}", "patience": patience})
