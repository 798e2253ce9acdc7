"""How long it takes to decide whether an act needs a person, in a workspace with many rules and a long past."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.autonomy import Ruling
from domain.constraints import ForbiddenRecipient
from domain.decisions import PastDecision, kind_of
from domain.plans import Plan, Step
from domain.standing import Scope, StandingRule
from evals.report import Aim, Report
from graph.checkpoints import before_step
from graph.context import Context, Run, Services
from graph.ruling import ruled
from graph.state import State, dumped
from memory.autonomy import AutonomyMemory
from memory.decision_kinds import noted_act
from memory.provenance import Provenance

AIMS = (Aim("ruling_ms_p95", "<=", 100),)
WORKSPACE, USER = "default", "ada"
_PERSON = Provenance(writer="person", user=USER)
_WEEK = 7 * 24 * 3600.0
Progress = Callable[[int], None]
"""Is told how many more of the past's entries are written."""


class Mail(BaseModel):
    """What the measured tool takes."""

    model_config = ConfigDict(extra="forbid")

    to: str
    subject: str
    body: str


async def run(services: Services, *, rules: int, decisions: int, rulings: int, progress: Progress) -> Report:
    """Write the past, then time rulings.

    Args:
        services: What a run works with, on empty records.
        rules: Constraints, and as many standing rules for the same tool and user.
        decisions: Acts that people decided on, ten of each kind.
        rulings: How many are timed.
        progress: Is told of what is written.
    """
    services = _on_stage(services)
    await _rules(services, rules, progress)
    await _past(services, decisions, progress)
    run_ = Run(services, Context(workspace=WORKSPACE, user=USER), "bench", "bench", lambda _: None)
    await _timed(run_, 0)  # loads what is loaded once
    timed = [await _timed(run_, number) for number in range(rulings)]
    took = [milliseconds for milliseconds, _ in timed]
    figures = {
        "ruling_ms_p50": statistics.median(took),
        "ruling_ms_p95": statistics.quantiles(took, n=20)[-1],
        "rulings": len(took),
        "constraints": rules,
        "standing_rules": rules,
        "past_decisions": decisions,
    }
    return Report("autonomy", figures, AIMS, notes=_notes([ruling for _, ruling in timed]))


def entries(rules: int, decisions: int) -> int:
    """Return how many entries `run` writes before it measures."""
    return 2 * rules + decisions


def _on_stage(services: Services) -> Services:
    """Return the services with a tool that cannot be undone, and a team that has it."""

    async def send(_: Mail) -> ToolOutput:
        return ToolOutput("sent")

    team = Team(
        name="bench", description="It sends.",
        specialists=(Specialist(name="writer", description="Writes.", tools=("send",)),),
    )  # fmt: skip
    tool = Tool("send", "Send a mail.", Mail, send, effect="write")
    return replace(services, team=team, tools=Toolbox.of([tool]))


async def _rules(services: Services, count: int, progress: Progress) -> None:
    memory, constraints = _memory(services), services.constraints
    end = services.clock() + _WEEK
    for number in range(count):
        rule = ForbiddenRecipient(id=f"no-{number}", recipients=(f"*@forbidden-{number}.example",))
        await constraints.propose(WORKSPACE, rule, _PERSON)
        await constraints.accept(WORKSPACE, rule.id, _PERSON)
        scope = Scope(
            tool="send", names=("body", "subject", "to"), recipients=(f"r{number}@x.example",), free=("body", "subject")
        )
        standing = StandingRule(id=f"mail-{number}", user=USER, scope=scope, expires=end)
        await memory.rules.propose(WORKSPACE, standing, _PERSON)
        await memory.rules.accept(WORKSPACE, standing.id, _PERSON)
        progress(2)


async def _past(services: Services, count: int, progress: Progress) -> None:
    """Write decisions as runs leave them: for people to be shown, for rules to be earned with, and in the audit."""
    memory, now = _memory(services), services.clock()
    for number in range(count):
        args = _mail(number // 10, number)
        run_, kind = f"past-{number}", kind_of("send", args)
        decision = PastDecision(id=run_, kind=kind, type="approve", by=USER, time=now, outcome="done", run=run_)
        await services.lessons.decisions.note(WORKSPACE, decision)
        act = noted_act(
            "send", args, id=run_, user=USER, time=now, decided="approve", by=USER, outcome="done", run=run_
        )
        await memory.kinds.note(WORKSPACE, act, args)
        progress(1)


async def _timed(run_: Run, number: int) -> tuple[float, Ruling]:
    """Return how many milliseconds a ruling takes, with everything that it looks up, and the ruling."""
    args = _mail(number % 100, number)
    step = Step(id=f"step_{number}", agent="writer", task="send it", tool="send", args=args, effect="write")
    state = cast(
        State,
        {"goal": f"send a mail to {args['to']}", "messages": [], "plan": dumped(Plan(steps=[step])),
         "briefing": {"workspace": WORKSPACE}},
    )  # fmt: skip
    tool = run_.services.tools.get("send")
    started = time.perf_counter()
    heard = await before_step(step, args, state, run_)
    ruling = await ruled(step, tool, args, state, run_, heard.verdicts)
    return (time.perf_counter() - started) * 1000, ruling


def _mail(recipient: int, number: int) -> dict[str, Any]:
    return {"to": f"r{recipient}@x.example", "subject": f"Report {number}", "body": f"Here is report number {number}."}


def _memory(services: Services) -> AutonomyMemory:
    if services.autonomy is None:
        msg = "a benchmark of autonomy needs services with a memory of it"
        raise ValueError(msg)
    return services.autonomy


def _notes(rulings: Sequence[Ruling]) -> tuple[str, ...]:
    found = sorted({f"{ruling.action} ({ruling.rule})" for ruling in rulings})
    return (f"rulings were: {', '.join(found)}",)
