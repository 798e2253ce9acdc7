"""Tables: drawn for a person, tab-separated lines for a program."""

from collections.abc import Iterable, Sequence

from understudy.cli.grids import put_table
from understudy.cli.screen import console
from understudy.cli.text import one_line


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows of values: tab-separated for a program; for a person a table, or blocks where it does not fit."""
    out = console()
    cells = [[one_line(str(value), 500) for value in row] for row in rows]
    if not out.is_terminal:
        lines = ["\t".join(columns), *("\t".join(row) for row in cells)]
        out.file.write("\n".join(lines) + "\n")
        return
    put_table(out, title, columns, cells)
