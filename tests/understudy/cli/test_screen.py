import json

import pytest
from rich.console import Console
from rich.text import Text

from domain.events import (
    EffectRecorded,
    Event,
    PlanProposed,
    RouteDecided,
    RunFinished,
    RunStarted,
    Stamped,
    StepFinished,
    StepStarted,
    ToolReturned,
)
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan, Step
from domain.routing import RouteDecision
from understudy.cli.phrases import line
from understudy.cli.screen import JsonScreen, Progress, Screen, TerminalScreen, hung

STARTED = RunStarted(goal="g", team="documents", mode="rules")
ROUTED = RouteDecided(decision=RouteDecision(source="memory", confidence=0.87, explanation="because one is near"))
PLANNED = PlanProposed(plan=Plan(steps=[Step(id="a", agent="writer", task="write")]))
WRITTEN: list[Event] = [
    StepStarted(step="a", agent="writer", task="write"),
    EffectRecorded(step="a", tool="write_file", key="k", replayed=False),
    ToolReturned(step="a", tool="write_file", seconds=0.1, summary="wrote brief.md (2 lines)"),
    StepFinished(result=StepResult(step="a", agent="writer")),
]
FINISHED = RunFinished(outcome=Outcome(status="done", answer="# Brief\n\n\tIt [bold]grew[/].\x1b[2J", confidence=0.8))


def stamped(event: Event) -> Stamped:
    return Stamped(seq=1, time=0.0, thread="t", run="r", workspace="default", event=event)


def play(screen: Screen, *events: Event) -> None:
    for event in events:
        screen.show(stamped(event))


def test_only_the_answer_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    play(TerminalScreen(), STARTED, ROUTED, PLANNED, *WRITTEN, FINISHED)
    shown = capsys.readouterr()
    assert shown.out == "# Brief\n\n\tIt [bold]grew[/].\n"
    assert shown.err.splitlines()[-3:] == [
        "result    done · confidence 0.80",
        "route:    from memory, confidence 0.87 — because one is near",
        "written   wrote brief.md (2 lines)",
    ]


def test_without_a_terminal_there_are_no_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    play(TerminalScreen(), STARTED, StepStarted(step="a", agent="writer", task="x" * 300), FINISHED)
    assert "\x1b" not in capsys.readouterr().err


def test_a_plan_is_the_answer_when_only_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    play(TerminalScreen(plan_only=True), STARTED, PLANNED)
    assert capsys.readouterr().out == ("plan      newly planned, simple, confidence 0.50\n          a  writer: write\n")


def test_json_lines_are_the_events_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    play(JsonScreen(), STARTED, FINISHED)
    shown = capsys.readouterr()
    assert [json.loads(line) for line in shown.out.splitlines()] == [
        stamped(event).flat() for event in (STARTED, FINISHED)
    ]
    assert shown.err == ""


def test_a_summary_knows_what_an_earlier_process_saw(capsys: pytest.CaptureFixture[str]) -> None:
    screen = TerminalScreen()
    screen.recall(ROUTED)
    play(screen, FINISHED)
    assert "route:    from memory, confidence 0.87" in capsys.readouterr().err


def test_a_new_run_starts_with_a_blank_page(capsys: pytest.CaptureFixture[str]) -> None:
    play(TerminalScreen(), *WRITTEN, STARTED, FINISHED)
    assert "written" not in capsys.readouterr().err


def test_progress_knows_who_is_at_work() -> None:
    progress = Progress()
    progress.note(WRITTEN[0])
    assert progress.running == {"a": "writer"}
    progress.note(WRITTEN[-1])
    assert progress.running == {}


def test_long_lines_are_wrapped_beside_their_label() -> None:
    text = Text("\n").join([line("route", "one two three four five six"), Text("          after")])
    assert hung(text, Console(width=30)).plain == ("route     one two three four \n          five six\n          after")
