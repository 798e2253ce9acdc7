"""The planner's twin: templates of the team, cut to what is at hand, and a plan from capabilities where none fits."""

from collections.abc import Iterable, Sequence

from agents.contracts import Planning, PlanningRequest
from agents.rules.templates import Ability, delivered, fitting, unusable, without, worded
from agents.team import Specialist
from domain.plans import Plan, Step, Strategy, execution_order

MAX_ALTERNATIVES = 3
SECONDS_PER_STEP = 1.0
"""What a step of a rule-based specialist takes at most over ordinary folders."""


async def plan(request: PlanningRequest) -> Planning:
    """Return up to three plans, best first; there is always one."""
    plans = list(_plans(request))
    plans += [_minimal(full, request) for full in plans[:1] if _is_worth_cutting(full)]
    return Planning(alternatives=_distinct(plans)[:MAX_ALTERNATIVES], degraded=True)


def _plans(request: PlanningRequest) -> Iterable[Plan]:
    for place, template in enumerate(fitting(request)[:2]):
        steps = _adapted(worded(template.steps, request.goal), request)
        if any(not step.delivers for step in steps):
            why = f"The team's template {template.name!r} fits {_kind(request)}."
            yield _plan(steps, request, f"{why} {_dropped(template.steps, steps)}", confidence=0.6 - 0.1 * place)
    steps = _adapted(_by_capability(request), request)
    why = f"A plan for {_kind(request)} from what the specialists can do."
    yield _plan(steps, request, why, confidence=0.35)


def _kind(request: PlanningRequest) -> str:
    return f"{'an' if request.kind[0] in 'aeiou' else 'a'} {request.kind} goal"


def _dropped(template: Sequence[Step], steps: Sequence[Step]) -> str:
    kept = {step.id for step in steps}
    gone = [step.id for step in template if step.id not in kept and not step.delivers]
    return f"Left out, since there is nothing for it to work with: {', '.join(gone)}." if gone else ""


def _adapted(steps: list[Step], request: PlanningRequest) -> list[Step]:
    """Return the steps that can do something; all of them when none can, so that they say what is missing."""
    steps = delivered(_around_failures(steps, request), request)
    rest = without(steps, unusable(steps, request))
    return rest if any(not step.delivers for step in rest) else steps


def _around_failures(steps: list[Step], request: PlanningRequest) -> list[Step]:
    """Return the steps with the fallbacks of the agents that failed, and without what a review found superfluous."""
    failed = {failure.agent for failure in request.failures}
    team = {specialist.name: specialist for specialist in request.team.specialists}
    steps = [_replaced(step, failed, team) for step in steps]
    lost = {step.id for step in steps if step.agent in failed and not step.tool}
    superfluous = {
        problem.step for problem in request.problems if problem.code in ("redundant_step", "conflict") and problem.step
    }
    unwanted = {step.id for step in steps if _is_unwanted(step, request)}
    rest = without(steps, lost | superfluous | unwanted)
    return rest if any(not step.delivers for step in rest) else steps


def _replaced(step: Step, failed: set[str], team: dict[str, Specialist]) -> Step:
    fallback = team[step.agent].fallback if step.agent in team else None
    if step.agent not in failed or step.tool or not fallback or fallback in failed:
        return step
    return step.model_copy(update={"agent": fallback})


def _is_unwanted(step: Step, request: PlanningRequest) -> bool:
    """Tell whether a person who looked at the plan asked for it without this step, naming the step or its agent."""
    asked = " ".join(p.message.lower() for p in request.problems if p.code == "change_requested")
    return any(
        f"{word} {article}{name}" in asked
        for word in ("without", "skip", "drop", "remove", "no")
        for article in ("", "the ")
        for name in (step.id, step.agent)
    )


def _by_capability(request: PlanningRequest) -> list[Step]:
    """Return a gathering step for documents and one for tables, and one that makes the answer of them."""
    ability = Ability(request)
    team = request.team.specialists
    able = [s for s in team if request.kind in s.capabilities and ability.useful(s)]
    readers = [s for s in team if ability.reads_documents(s) and "search_documents" in s.tools][:1]
    counters = [s for s in team if ability.reads_tables(s)][:1]
    maker = next((s for s in able if s not in readers and s not in counters), None)
    wanted = readers if request.kind in ("search", "summary") else readers + counters
    gather = list(dict.fromkeys(s.name for s in wanted)) or ([] if maker else [(able or list(team))[0].name])
    steps = [Step(id=f"gather_{name}"[:40], agent=name, task=f"Gather what answers: {request.goal}") for name in gather]
    if maker:
        needs = [step.id for step in steps]
        steps.append(
            Step(id="answer", agent=maker.name, task=f"Answer from what was found: {request.goal}", needs=needs)
        )
    return steps


def _is_worth_cutting(full: Plan) -> bool:
    return sum(not step.delivers for step in full.steps) > 2


def _minimal(full: Plan, request: PlanningRequest) -> Plan:
    """Return the plan with one gathering step only: tables for questions of number, else documents."""
    ability = Ability(request)
    tables_first = request.kind in ("analysis", "comparison")
    work = [step for step in full.steps if not step.delivers]
    roots = [step for step in work if not step.needs]
    best = max(roots, key=lambda s: ability.reads_tables(request.team.specialist(s.agent)) is tables_first)
    others = {step.id for step in work if step.id not in (best.id, work[-1].id)}
    why = f"The shortest way: only {best.agent} gathers, then {work[-1].agent} answers."
    return _plan(without(full.steps, others), request, why, confidence=0.4)


def _plan(steps: list[Step], request: PlanningRequest, rationale: str, confidence: float) -> Plan:
    if request.failures:
        rationale += f" It goes round what failed: {', '.join(dict.fromkeys(f.agent for f in request.failures))}."
    work = [step for step in steps if not step.delivers]
    levels = execution_order(Plan(steps=work))
    return Plan(
        steps=steps,
        strategy=_strategy(len(work), max(map(len, levels))),
        rationale=" ".join(rationale.split()),
        confidence=confidence,
        estimates={
            "quality": min(0.8, 0.5 + 0.1 * len(work)),
            "seconds": SECONDS_PER_STEP * len(levels),
            "dollars": 0.0,
        },
    )


def _strategy(work: int, widest: int) -> Strategy:
    if widest > 1:
        return "parallel"
    return "simple" if work <= 2 else "comprehensive"


def _distinct(plans: Iterable[Plan]) -> list[Plan]:
    known: dict[tuple[tuple[str, ...], ...], Plan] = {}
    for candidate in plans:
        known.setdefault(tuple((s.agent, s.tool or "", *s.needs) for s in candidate.steps), candidate)
    return sorted(known.values(), key=lambda p: -p.confidence)
