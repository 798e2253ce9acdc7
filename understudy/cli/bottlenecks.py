"""`understudy bottlenecks`: where the time of the latest runs went."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_assistant
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from graph.bottlenecks import Share

EXAMPLES = """\b
Examples:
  understudy bottlenecks
  understudy bottlenecks --runs 50 --json | jq '.path[0]'
"""

_LEAST = 0.0005
"""Share below which a row is not printed; --json holds all."""


def bottlenecks(
    workspace: Workspace = None,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Latest runs to look at.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show who and what the latest runs waited for.

    The figures are shares of their time, and of that of the slowest 5 %. The first table is what was on the critical
    path and adds up to the whole time; the second is what tools and models took of the work on it; the third goes by
    kind of task.
    """
    found = with_assistant(workspace, lambda o: o.bottlenecks(runs=runs))
    if as_json:
        from understudy.cli.screen import print_json

        print_json(found.model_dump(mode="json"))
        return
    from understudy.cli.critical_text import described
    from understudy.cli.tables import print_table

    title = f"{found.runs} runs, median {found.p50:.1f} s, 95 % within {found.p95:.1f} s"
    columns = ("share", f"slowest {found.slowest}", "seconds", "runs")
    print_table(title, ("on the critical path", *columns), _rows(found.path, described))
    typer.echo()
    print_table("of the work on it", ("tool or model", *columns), _rows(found.inside, described))
    kinds = [
        (k.kind, k.runs, f"{k.p50:.1f}", f"{k.p95:.1f}", described(k.bottleneck_kind, k.bottleneck))
        for k in found.kinds
    ]
    typer.echo()
    print_table("by kind of task", ("kind", "runs", "median s", "p95 s", "most time"), kinds)


def _rows(shares: Iterable["Share"], named: Callable[[str, str], str]) -> list[tuple[str, ...]]:
    return [
        (named(s.kind, s.name), f"{s.share:.1%}", f"{s.slowest_share:.1%}", f"{s.seconds:.2f}", str(s.runs))
        for s in shares
        if max(s.share, s.slowest_share) >= _LEAST
    ]
