"""`understudy plan`: the plan for a goal, with what would do its steps, and nothing run."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import AsJson, Data, Out, Team, Workspace, goal_from

if TYPE_CHECKING:
    from rich.text import Text

    from domain.plans import Plan
    from understudy.previews import BoundStep, Preview

EXAMPLES = """\b
Examples:
  understudy plan "Which source of electricity grew most, and why?" --data examples/energy
  understudy plan "Compare solar and wind" --data examples/energy --json | jq .plan.rationale
"""


def plan(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What should be done; - reads it from stdin.")],
    team: Team = None,
    workspace: Workspace = None,
    data: Data = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Plan a goal without running it.

    Shows the plan, the resources of its steps, what else was weighed, and why. Nothing is run or remembered; with a
    model configured, the planner asks it.
    """
    text = goal_from(goal)
    from understudy.cli.opened import with_assistant
    from understudy.cli.screen import console, print_json, put

    preview = with_assistant(workspace, lambda o: o.plan(text), team=team, data=data, out=out)
    if as_json:
        print_json(preview.model_dump(mode="json"))
    else:
        put(console(), _text(preview))


def _text(preview: "Preview") -> "Text":
    from rich.text import Text

    from understudy.cli.phrases import line, plan_text, why
    from understudy.cli.text import one_line

    parts = [line("route", why(preview.decision))]
    if preview.plan is None:
        return Text("\n").join([*parts, line("plan", "nothing would be planned")])
    chosen = preview.plan
    parts += [plan_text(chosen.model_copy(update={"rationale": ""})), line("why", chosen.rationale)]
    if chosen.estimates:
        parts.append(line("expects", _figures(chosen)))
    parts += [line("bound", _bound(step)) for step in preview.steps if step.resource or step.refused]
    for number, other in enumerate(preview.alternatives, start=2):
        steps = " → ".join(step.id for step in other.steps)
        parts.append(line(f"or {number}", f"{steps} ({_figures(other)}) — {one_line(other.rationale, 300)}"))
    return Text("\n").join(parts)


def _figures(plan: "Plan") -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in plan.estimates.items())


def _bound(step: "BoundStep") -> str:
    refused = "".join(f"; not {name}: {why}" for name, why in step.refused.items())
    others = f"; then {', '.join(step.others)}" if step.others else ""
    return f"{step.step}: {step.why or 'nothing may do it'}{others}{refused}"
