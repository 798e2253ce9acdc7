"""Rows of texts on a console: as a table where there is room, else as blocks of lines."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_SHORT = 16
"""Columns up to this width are never broken; the longer ones share the rest."""
_ROOM = 14
"""Least width of a longer column; where there is less, each row is printed as a block of lines."""
_GAP = 2


def put_table(out: Console, title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Show a person rows of texts as a table, or as blocks where the console is too narrow for one."""
    # A heading may be broken between its words, a short value may not.
    widths = [max(map(cell_len, [*head.split(), *each])) for head, *each in zip(columns, *cells, strict=True)]
    if sum(w if w <= _SHORT else _ROOM for w in widths) + _GAP * len(widths) > out.width:
        _print_blocks(out, title, columns, cells)
        return
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        show_edge=False, collapse_padding=True,
    )  # fmt: skip
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width if width <= _SHORT else None)
    for row in cells:
        table.add_row(*row)
    out.print(table)


def _print_blocks(out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row as lines of a name and a value."""
    indent = min(max(map(cell_len, columns)) + 2, out.width // 2)
    if title:
        out.print(Text(title, "bold"))
    if not rows:
        out.print("none")
    for row in rows:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=indent - 2)
        table.add_column()
        for name, value in zip(columns, row, strict=True):
            table.add_row(Text(name, "bold"), Text(value))
        out.print()
        out.print(table)
