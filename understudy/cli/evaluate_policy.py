"""`understudy eval policy`: what another policy had earned on the decisions that a workspace logged."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from understudy.cli.options import AsJson, Team, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from agents.delegation.policy_names import PolicyName
    from evals.policies import PolicyReport, ThresholdReport
    from evals.statistics import Interval

EXAMPLES = examples(
    "eval policy --threshold 0.9",
    "eval policy --selection greedy --workspace acme --json",
    "eval policy --trial shorter",
)


def policy(
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="T", min=0.5, max=1, help="Reuse what memory is surer of than this."),
    ] = None,
    selection: Annotated[
        str | None, typer.Option("--selection", metavar="POLICY", help="Choose agents by this policy.")
    ] = None,
    trial: Annotated[
        str | None, typer.Option("--trial", metavar="NAME", help="Always take one of a trial's two variants.")
    ] = None,
    team: Team = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Ask the log of a workspace what another policy had earned.

    Choices that were drawn by lot, in trials and by selection policies that explore, give estimates: by inverse
    propensity, and doubly robust. Where nothing was drawn, the log says only between which bounds the answer lies.
    """
    from understudy.settings import load_settings

    if sum(asked is not None for asked in (threshold, selection, trial)) != 1:
        raise typer.BadParameter("ask for one of --threshold, --selection and --trial")
    from understudy.evaluation.policies import selection_report, threshold_report, trial_reports

    settings = load_settings(team=team, workspace=workspace)
    if threshold is not None:
        _print_threshold(asyncio.run(threshold_report(settings, threshold)), as_json)
    elif selection is not None:
        _print_policies([asyncio.run(selection_report(settings, _checked(selection)))], as_json)
    else:
        _print_policies(asyncio.run(trial_reports(settings, trial or "")), as_json)


def _checked(name: str) -> "PolicyName":
    from agents.delegation.selector import checked_policy

    checked_policy(name)
    return cast("PolicyName", name)


def _print_threshold(found: "ThresholdReport", as_json: bool) -> None:
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table

    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = [
        ("decisions", found.decisions),
        ("mean outcome as they went", _value(found.value)),
        ("decisions that would be the same", found.unchanged),
        ("their mean outcome", f"{_value(found.unchanged_value)} {_between(found.unchanged_interval)}"),
        ("would be reused", found.to_reuse),
        ("would not be reused any more", found.from_reuse),
        ("mean outcome, whatever the changed ones come to", _between(found.bounds) or "-"),
        ("mean outcome that memory believes in", _value(found.believed)),
    ]
    print_table(f"Reuse above {found.threshold:g}", ("what", "value"), rows)
    typer.echo(found.note)


def _print_policies(found: "Sequence[PolicyReport]", as_json: bool) -> None:
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table

    if as_json:
        print_json([report.model_dump(mode="json") for report in found])
        return
    columns = ("policy", "choices", "as they were", "method", "estimate", "95 % interval", "worth", "never possible")
    rows = [
        (
            report.policy,
            report.decisions,
            _value(report.value),
            estimate.method,
            _value(estimate.value),
            _between(estimate.interval) or "-",
            f"{estimate.effective:.0f}",
            f"{estimate.unsupported:.0%}",
        )
        for report in found
        for estimate in report.estimates
    ]
    print_table("What another policy had earned", columns, rows)
    for report in found:
        for note in filter(None, [report.note, *dict.fromkeys(estimate.note for estimate in report.estimates)]):
            typer.echo(f"{report.policy}: {note}")


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _between(interval: "Interval | None") -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}" if interval else ""
