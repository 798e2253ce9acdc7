"""Consent in a run: which scopes a step needs, which were given or refused, and the one question for those that miss.

A scope is needed by the step itself, by the tool that it calls, by the tools that a specialist calls while it works on
it, and by the materials that these read. What the plan says is asked before the step begins; what a specialist comes to
is asked when it comes to it, and the step is then begun anew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from domain.approvals import ActionRequest, Decision
from domain.consent import PREFIX, Standing, answer_of, consent_request, scope_of
from domain.consent_words import GIVE_CONSENT, Answer, said_consent
from domain.errors import ConsentNeeded, ConsentRefused, StorageAway
from domain.plans import Plan, Step
from domain.wording import without_stop
from graph.context import Run
from graph.gates import decision_for
from graph.state import State

Said = Answer | Literal["no"]
"""What was answered in a run; `no` is not kept."""
_OF_ITEMS = re.compile(r" \(item \d+ of \d+\)$")
_FOR = " is needed: "
_PURPOSES = 8
"""What is told of what a consent is for; a step for each of many items would fill the screen."""
Found = Literal["given", "refused", "missing"]


class Consenting(NamedTuple):
    """What of the needed scopes was not given."""

    missing: list[str]
    """To be asked."""
    refused: list[str]
    """Not to be asked again."""


def scopes_of(step: Step, run: Run) -> list[str]:
    """Return the scopes that a step needs as far as its plan tells, each once."""
    tool = run.services.tools.tools.get(step.tool or "")
    return list(dict.fromkeys([*map(scope_of, step.consent), *(tool.consent if tool else ())]))


async def missing_consents(step: Step, run: Run, state: State | None = None) -> Consenting:
    """Return the scopes of a step that a person is to be asked for, and those that were refused.

    Args:
        step: The step.
        run: The run.
        state: With the run's own answers ("this time"); None where there are none.
    """
    return await consenting(scopes_of(step, run), run, state)


async def consenting(scopes: Sequence[str], run: Run, state: State | None = None) -> Consenting:
    """Return which of these scopes are missing, and which were refused.

    "Always" and "never" are read where they are kept, so that what is taken back during the run no longer counts.
    What is answered in the run itself holds beside it, and every no before every yes.
    """
    if not scopes:
        return Consenting([], [])
    held = await _standing(run)
    found = {scope: _found(held, scope, _said(scope, state) if state else None) for scope in scopes}
    return Consenting([s for s in scopes if found[s] == "missing"], [s for s in scopes if found[s] == "refused"])


def _found(held: Mapping[str, Standing] | None, scope: str, said: Said | None) -> Found:
    """Return what comes of the answer that is kept for a scope (None: nobody can tell) and of the one in this run."""
    if held is None:
        return "missing" if said is None else "given" if said in ("always", "this time") else "refused"
    kept = held.get(scope)
    if kept == "never" or said == "no":
        return "refused"
    return "given" if kept == "always" or said == "this time" else "missing"


async def _standing(run: Run) -> Mapping[str, Standing] | None:
    """Return what holds for good; None while nobody can tell."""
    if run.services.consents is None:
        return None
    try:
        return await run.services.consents.standing(run.context.workspace, run.context.user)
    except StorageAway:
        return None


def _said(scope: str, state: State) -> Said | None:
    """Return what was answered in this run; `no` is one that is not kept, None is nothing."""
    decision = decision_for(consent_request(scope, []), state)
    if decision is None:
        return None
    return answer_of(decision) or "no"


async def require_consent(scopes: Sequence[str], run: Run, state: State) -> None:
    """Let work go on with what needs these scopes.

    Raises:
        ConsentRefused: A person has said no; another way may be chosen.
        ConsentNeeded: Nobody has said anything yet.
    """
    found = await consenting(scopes, run, state)
    if found.refused:
        raise ConsentRefused(refusal(found.refused, state))
    if found.missing:
        raise ConsentNeeded(found.missing)


def refusal(scopes: Iterable[str], state: State) -> str:
    """Return in words that consents were refused, with the reasons that were given in this run."""
    return f"no consent was given to {', '.join(_with_reason(scope, state) for scope in scopes)}"


def _with_reason(scope: str, state: State) -> str:
    """Return a scope with why it was refused, where somebody said more than no."""
    decision = decision_for(consent_request(scope, []), state)
    said = decision.message.strip() if decision is not None and decision.type == "reject" else ""
    return f"{scope} ({without_stop(said)})" if said and said_consent(said) is None else scope


def questions(scopes: Iterable[str], step: Step) -> list[ActionRequest]:
    """Return the questions for scopes that a step needs."""
    task = _OF_ITEMS.sub("", step.task)
    return [consent_request(scope, [f"{step.agent} is to {task}"]) for scope in scopes]


def asked_once(requests: Iterable[ActionRequest]) -> list[ActionRequest]:
    """Return requests with the questions for the same consent made one, which names every purpose."""
    found: dict[str, ActionRequest] = {}
    for request in requests:
        first = found.get(request.id)
        if first is None or request.name != GIVE_CONSENT:
            found[request.id] = request
        else:
            found[request.id] = first.model_copy(update={"description": _joined(first, request)})
    return list(found.values())


def _joined(first: ActionRequest, other: ActionRequest) -> str:
    """Return the words of both questions with every purpose once; the first ones stand for many."""
    head, _, rest = first.description.partition("\n")
    begin, _, told = head.removesuffix(".").partition(_FOR)
    purposes = list(dict.fromkeys([*told.split("; "), other.description.partition("\n")[0].partition(_FOR)[2][:-1]]))
    if len(purposes) > _PURPOSES:
        purposes = [*purposes[:_PURPOSES], "and more"]
    return f"{begin}{_FOR}{'; '.join(purposes)}.\n{rest}"


async def asked_ahead(requests: Iterable[ActionRequest], plan: Plan, state: State, run: Run) -> list[ActionRequest]:
    """Return requests with the consents that later steps of the plan need, where one for a consent is among them.

    So a person is not asked for the next one when the first step is done.
    """
    requests = list(requests)
    if any(request.name == GIVE_CONSENT for request in requests):
        for step in plan.steps:
            if step.id not in state.get("results", {}):
                missing = (await missing_consents(step, run, state)).missing
                requests += questions(missing, step)
    return asked_once(requests)


async def keep_consents(pairs: Iterable[tuple[ActionRequest, Decision]], run: Run) -> None:
    """Keep what was answered for good; doing it again changes nothing."""
    consents, context = run.services.consents, run.context
    for request, decision in pairs:
        if request.name != GIVE_CONSENT or consents is None:
            continue
        scope, answer, by = request.id.removeprefix(PREFIX), answer_of(decision), decision.by or context.user
        if answer == "always":
            await consents.give(context.workspace, context.user, scope, by=by, run=run.run)
        elif answer == "never":
            await consents.refuse(context.workspace, context.user, scope, by=by, run=run.run)
