"""The planner's twin: templates of the team, cut to what is at hand, and a plan from capabilities where none fits.

A team that wants a strategy gets a plan of that kind among the alternatives, where its specialists allow one.
"""

from collections.abc import Iterable, Sequence

from agents.contracts import Planning, PlanningRequest
from agents.planning.steps import without
from agents.rules.stretches import first_stretch, next_stretch
from agents.rules.templates import Ability, delivered, fitting, unusable, worded
from agents.team import Specialist
from domain.plans import Plan, Step, Strategy, execution_order

_QUALITY = 0.75
"""Expected quality of a template's plan, 0-1; the further a plan is from the team's own, the less."""
_CUT = 0.15
"""Quality that a plan loses when it is cut to one source."""


async def plan(request: PlanningRequest) -> Planning:
    """Return as many plans as the team weighs, best first; there is always one."""
    plans = list(_plans(request))
    if request.finished:
        return Planning(alternatives=[next_stretch(plans, request)], degraded=True)
    wanted = _of_strategy(plans[0], request)
    plans += [_minimal(full, request) for full in plans[:1] if _is_worth_cutting(full)]
    most = request.team.planning.max_alternatives
    return Planning(alternatives=_distinct([*wanted, *plans])[:most], degraded=True)


def _of_strategy(full: Plan, request: PlanningRequest) -> list[Plan]:
    """Return plans of the wanted strategy that would not be among the alternatives anyway."""
    match request.team.planning.strategy:
        case "adaptive":
            stretch = first_stretch(full) if request.stretches_left else None
            return [stretch] if stretch else []
        case "comprehensive":
            steps = _adapted(_by_capability(request, everybody=True), request)
            why = f"Everybody who can add something to {_kind(request)} does."
            return [_plan(steps, request, why, confidence=full.confidence, quality=_QUALITY, strategy="comprehensive")]
    return []


def _plans(request: PlanningRequest) -> Iterable[Plan]:
    for place, template in enumerate(fitting(request)[:2]):
        steps = _adapted(worded(template.steps, request.goal), request)
        if any(not step.delivers for step in steps):
            why = f"The team's template {template.name!r} fits {_kind(request)}."
            yield _plan(
                steps,
                request,
                f"{why} {_dropped(template.steps, steps)}",
                confidence=0.6 - 0.1 * place,
                quality=_QUALITY - 0.05 * place,
            )
    steps = _adapted(_by_capability(request), request)
    why = f"A plan for {_kind(request)} from what the specialists can do."
    yield _plan(steps, request, why, confidence=0.35, quality=_QUALITY - 0.15)


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


def _by_capability(request: PlanningRequest, *, everybody: bool = False) -> list[Step]:
    """Return a gathering step for documents and one for tables, or one of everybody, and one that makes the answer."""
    ability = Ability(request)
    team = request.team.specialists
    able = [s for s in team if request.kind in s.capabilities and ability.useful(s)]
    readers = [s for s in team if ability.reads_documents(s) and "search_documents" in s.tools][:1]
    counters = [s for s in team if ability.reads_tables(s)][:1]
    maker = next((s for s in able if s not in readers and s not in counters), None)
    if everybody:
        readers = [s for s in team if s != maker and (ability.reads_documents(s) or ability.reads_tables(s))]
        counters = []
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
    quality = full.estimates["quality"] - _CUT
    return _plan(without(full.steps, others), request, why, confidence=0.4, quality=quality)


def _plan(
    steps: list[Step],
    request: PlanningRequest,
    rationale: str,
    *,
    confidence: float,
    quality: float,
    strategy: Strategy | None = None,
) -> Plan:
    if request.failures:
        rationale += f" It goes round what failed: {', '.join(dict.fromkeys(f.agent for f in request.failures))}."
    work = [step for step in steps if not step.delivers]
    levels = execution_order(Plan(steps=work))
    return Plan(
        steps=steps,
        strategy=strategy or ("parallel" if max(map(len, levels)) > 1 else "simple"),
        rationale=" ".join(rationale.split()),
        confidence=confidence,
        estimates={"quality": quality},
    )


def _distinct(plans: Iterable[Plan]) -> list[Plan]:
    known: dict[tuple[object, ...], Plan] = {}
    for candidate in plans:
        shape = tuple((s.agent, s.tool or "", *s.needs) for s in candidate.steps)
        known.setdefault((candidate.continues, shape), candidate)
    return sorted(known.values(), key=lambda p: -p.confidence)
