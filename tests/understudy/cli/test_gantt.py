"""The picture of a run."""

import re
from pathlib import Path

import pytest

from domain.errors import InvalidSettings
from graph.trace import Trace
from tests.graph.timed_runs import TimedRun, usual_run
from understudy.cli.gantt import Bar, draw, rows_of


def bars(trace: Trace) -> dict[str, list[Bar]]:
    """Return the bars by the first word of their row, with rounded times."""
    return {
        row.label.split()[0]: [
            bar._replace(started=round(bar.started, 3), ended=round(bar.ended, 3)) for bar in row.bars
        ]
        for row in rows_of(trace)
    }


def test_rows_are_steps_and_roles_in_the_order_of_beginning() -> None:
    assert [row.label for row in rows_of(usual_run())] == [
        "supervisor", "planner", "search (searcher, slack 3.0 s)", "extra (reader, slack 4.0 s)", "analyse (analyst)",
        "write (writer)", "critic", "deliver (writer)", "remember",
    ]  # fmt: skip


def test_waits_come_before_the_work_they_delay() -> None:
    drawn = bars(usual_run())
    assert drawn["extra"] == [Bar(3, 5, wait="slot"), Bar(5, 7, "reader")]
    assert drawn["deliver"] == [Bar(14, 19, wait="person", critical=True), Bar(19, 19.5, "writer", critical=True)]
    assert [bar.critical for bar in drawn["analyse"] + drawn["search"]] == [True, False]


@pytest.mark.parametrize("suffix", [".png", ".SVG"])
def test_a_picture_has_the_format_of_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    draw(usual_run(), path)
    assert path.read_bytes().startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


def test_an_svg_says_everything_in_text(tmp_path: Path) -> None:
    draw(usual_run("Costs $5 and $6 <now>"), tmp_path / "run.svg")
    said = re.findall(r"<text[^>]*>([^<]+)</text>", (tmp_path / "run.svg").read_text())
    assert "Costs $5 and $6 &lt;now&gt;" in said
    assert {"analyse (analyst)", "waits for a slot", "waits for a person", "critical path", "searcher"} <= set(said)


def test_a_run_that_has_hardly_begun_can_be_drawn(tmp_path: Path) -> None:
    trace = TimedRun().trace(0).model_copy(update={"ended": None, "outcome": None})
    draw(trace, tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 0


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"ending in \.png or \.svg, not 'run\.gif'"):
        draw(usual_run(), tmp_path / "run.gif")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="there is no folder"):
        draw(usual_run(), tmp_path / "none" / "run.png")
