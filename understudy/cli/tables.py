"""Tables: drawn for a person, tab-separated lines for a program."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table

from understudy.cli.screen import console
from understudy.cli.text import one_line


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows of values, each on one line where no person watches."""
    out = console()
    cells = [[one_line(str(value), 500) for value in row] for row in rows]
    if not out.is_terminal:
        lines = ["\t".join(columns), *("\t".join(row) for row in cells)]
        out.file.write("\n".join(lines) + "\n")
        return
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for row in cells:
        table.add_row(*row)
    out.print(table)
