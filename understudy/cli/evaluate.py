"""`understudy eval`: recorded tasks, to prove a change before it ships."""

import typer

from understudy.cli import evaluate_compare, evaluate_policy, evaluate_record, evaluate_report, evaluate_run

EXAMPLES = """\b
Examples:
  understudy eval run --strict
  understudy eval run marketing documents --tolerant --report out/report
  understudy eval compare commit:HEAD~1 current
  understudy eval record 20261005-101500-ab12 --into my-evals/sales --name quarter-in-three-lines
"""

app = typer.Typer(
    help="Replay recorded tasks, record new ones, compare versions.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command(epilog=evaluate_run.EXAMPLES)(evaluate_run.run)
app.command(epilog=evaluate_compare.EXAMPLES)(evaluate_compare.compare)
app.command(epilog=evaluate_policy.EXAMPLES)(evaluate_policy.policy)
app.command(epilog=evaluate_record.EXAMPLES)(evaluate_record.record)
app.command(epilog=evaluate_report.EXAMPLES)(evaluate_report.report)
