"""The page of rules: what may be done without asking, and what may not be done at all."""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from domain.autonomy import Tier
from domain.constraints import Rule
from memory.constraints import Version
from memory.standing_rules import Standing
from understudy.cli.text import clean, one_line
from understudy.console.frame import empty, page, toast
from understudy.console.markup import Child, Tone, badge, el, facts, when
from understudy.console.markup_view import confirmed, may, show
from understudy.console.memory_tabs import memory_tabs
from understudy.console.parts import Look, box, heading, text
from understudy.console.visits import caller_here
from understudy.service.caller import Caller

_TONES: dict[str, Tone] = {
    "active": "good", "proposed": "accent", "demoted": "warn", "retired": "plain", "expired": "plain",
    "unreadable": "bad",
}  # fmt: skip
_MAX = 100
"""Rules of a kind that are shown."""
Act = Callable[[Caller], Awaitable[None]]
Changed = Callable[[], Awaitable[None]]


@page("/memory/rules", title="Memory", permission="read")
async def rules(caller: Caller) -> None:
    """Build the page."""
    memory_tabs("/memory/rules", caller)
    area = box("rules")

    async def draw() -> None:
        here = await caller_here("read")
        desk = await here.orchestrator.rules()
        standing, tiers = await desk.listed(), await desk.tiers()
        constraints = here.orchestrator.constraints
        policy = await constraints.active(here.workspace)
        proposals = await constraints.proposals(here.workspace)
        area.clear()
        with area:
            _standing_part(here, standing, draw)
            _tiers_part(desk.bounds.tier, dict(tiers))
            _constraints_part(here, list(policy.rules), proposals, draw)

    await draw()


def _standing_part(caller: Caller, found: list[Standing], changed: Changed) -> None:
    with box("panel", tag="section"):
        heading("Standing rules")
        text("What you let the team do without asking.", "soft", tag="p")
        if not found:
            empty(
                "There is no standing rule.", "One is proposed when you have approved enough acts of a kind unchanged."
            )
        with box("cards", tag="ul"):
            for standing in found[:_MAX]:
                with box("card", tag="li"):
                    _standing_card(caller, standing, changed)


def _standing_card(caller: Caller, standing: Standing, changed: Changed) -> None:
    rule = standing.rule
    show(el("h3", f"You let me {clean(rule.words)}"))
    values: dict[str, Child] = {
        "stands": badge(standing.status, _TONES[standing.status]),
        "ends": when(rule.expires),
        "because": one_line(rule.evidence, 400),
        "last change": el("span", f"by {one_line(standing.by, 80)} ", when(standing.since)),
        "reason": one_line(standing.why, 400),
        "id": el("code", rule.id),
    }
    show(facts(values))
    if not may(caller, "manage"):
        return
    if standing.status == "proposed":
        question = "Let this be done without asking until it ends?"
        with box("button-row"):
            _offer("Accept", question, lambda c: _accepted(c, rule.id), changed, look="main")
            _offer("Refuse", "Refuse this rule?", lambda c: _retired(c, rule.id), changed)
    elif standing.status == "active":
        question = "Ask again about acts of this kind from now on?"
        _offer("Revoke", question, lambda c: _retired(c, rule.id), changed)


async def _accepted(caller: Caller, rule: str) -> None:
    await (await caller.orchestrator.rules()).accept(rule)


async def _retired(caller: Caller, rule: str) -> None:
    await (await caller.orchestrator.rules()).retire(rule)


def _offer(words: str, question: str, act: Act, changed: Changed, *, look: Look = "danger") -> None:
    """Show a button that changes a rule, asks before it does, and reads all rules again."""

    async def go() -> None:
        await act(await caller_here("manage"))
        toast("done", "good")
        await changed()

    confirmed(words, question, go, look=look)


def _tiers_part(default: str, tiers: dict[str, Tier]) -> None:
    with box("panel", tag="section"):
        heading("Trust")
        show(facts({"everybody": default, **{one_line(user, 80): tier for user, tier in tiers.items()}}))


def _constraints_part(caller: Caller, rules: list[Rule], proposals: list[Version], changed: Changed) -> None:
    with box("panel", tag="section"):
        heading("Constraints")
        text("What may not be done, whoever approves it.", "soft", tag="p")
        if not rules and not proposals:
            empty("There is no constraint.", "Propose one with: understudy memory constraints propose rule.json")
        with box("cards", tag="ul"):
            for version in proposals[:_MAX]:
                with box("card", tag="li"):
                    _constraint_card(version.id, version.rule or {}, "proposed")
                    if may(caller, "manage"):
                        rule, question = version.id, "Put this constraint in force?"
                        _offer("Accept", question, partial(_constraint_accepted, rule), changed, look="main")
            for each in rules[:_MAX]:
                with box("card", tag="li"):
                    _constraint_card(each.id, each.model_dump(mode="json"), "active")
                    if may(caller, "manage"):
                        _offer("Retire", "Put it out of force?", partial(_constraint_retired, each.id), changed)


def _constraint_card(name: str, rule: Mapping[str, Any], stands: str) -> None:
    show(el("h3", name))
    told = {
        key: value for key, value in rule.items() if key not in ("id", "kind", "why") and value not in ([], "", None)
    }
    values: dict[str, Child] = {
        "stands": badge(stands, _TONES[stands]),
        "kind": str(rule.get("kind", "")).replace("_", " "),
        "what": el("code", one_line(json.dumps(told, ensure_ascii=False, default=str), 600)),
        "why": one_line(str(rule.get("why", "")), 400),
    }
    show(facts(values))


async def _constraint_accepted(rule: str, caller: Caller) -> None:
    await caller.orchestrator.constraints.accept(caller.workspace, rule, caller.orchestrator.person)


async def _constraint_retired(rule: str, caller: Caller) -> None:
    await caller.orchestrator.constraints.retire(caller.workspace, rule, caller.orchestrator.person)
