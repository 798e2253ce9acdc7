"""Tables fit the terminal: whole values in columns, or in blocks where columns would be too narrow."""

import io

import pytest
from rich.console import Console

from understudy.cli import tables

COLUMNS = ("task", "goal", "95 % interval")
ROW = ("c682fc9fbbe1", "Which laws helped wind power in Iowa?", "61%-100%")


def printed(width: int, monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, ...], terminal: bool = True) -> list[str]:
    out = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(tables, "console", lambda: out)
    tables.print_table("Tasks", COLUMNS, rows)
    text = out.file.getvalue()  # type: ignore[attr-defined] # the StringIO from above
    return [line.rstrip() for line in text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_short_values_are_never_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(width, monkeypatch, ROW)
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    if width >= 40:
        assert any("c682fc9fbbe1" in line for line in lines)
        assert any("61%-100%" in line for line in lines)


def test_a_row_that_fits_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "  ".join(ROW) in printed(80, monkeypatch, ROW)


def test_a_row_that_does_not_fit_is_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(36, monkeypatch, ROW)
    assert "task           c682fc9fbbe1" in lines
    assert "95 % interval  61%-100%" in lines


def test_no_rows_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(20, monkeypatch) == ["Tasks", "none"]


def test_a_program_gets_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(20, monkeypatch, ROW, terminal=False) == ["\t".join(COLUMNS), "\t".join(ROW)]
