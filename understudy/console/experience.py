"""The page of experience: how calm, fast and trustworthy it is for people, against what it should be."""

from typing import get_args

from memory.friction import MAX_DIALOGS, MAX_TAPS, FrictionWeek
from understudy.cli.text import one_line
from understudy.console.frame import empty, page
from understudy.console.markup import Child, Column, Html, badge, duration, el, joined, share_bar, table
from understudy.console.markup_view import Field, filters, section, sheet, show
from understudy.console.parts import box, text
from understudy.experience import Experience, Figure, Group
from understudy.service.caller import Caller

_WEEKS = ("4", "8", "26", "52")
_GROUPS: dict[Group, str] = {
    "friction": "Friction: how seldom people are bothered",
    "speed": "Speed: how soon something happens",
    "trust": "Trust: how far it can be relied on",
    "proactivity": "Proactivity: how well it suggests",
}
_NAMES = {
    "taps_per_week": "taps a week", "dialogs_per_week": "dialogs a week", "nags_per_week": "nags a week",
    "setup_steps": "steps of the set-up", "override_rate": "overrides", "context_query_ms": "context query",
    "reaction_ms": "reaction", "plan_preview_ms": "plan preview", "safe_defaults": "safe defaults",
    "complaint_rate": "complaints", "false_suggestions_per_week": "false suggestions a week",
    "suggestion_accuracy": "suggestions that fit", "suggestion_context": "suggestions in context",
}  # fmt: skip


@page("/experience", title="Experience", permission="read")
async def experience(caller: Caller, weeks: str = "4") -> None:
    """Build the page."""
    sheet()
    weeks = weeks if weeks in _WEEKS else _WEEKS[0]
    filters("/experience", caller, [Field("weeks", "Weeks of friction", weeks, _WEEKS, needed=True)])
    found = await caller.orchestrator.experience(weeks=int(weeks))
    _head(found)
    for group in get_args(Group):
        figures = [figure for figure in found.figures if figure.group == group]
        section(_GROUPS[group], _figures(_GROUPS[group], figures) if figures else None)
    section(
        "Week by week",
        _weeks(found.weeks) if found.weeks else None,
        absent="Nobody was asked or told anything in these weeks.",
        hint="Decisions, questions, reminders and notices are counted here, by user and week.",
    )


def _head(found: Experience) -> None:
    if found.score is None:
        empty(
            "Nothing was measured yet.", "Ask for something in the chat; figures come from the runs and the questions."
        )
        return
    is_met = found.score >= found.target
    mark = badge("as it should be", "good") if is_met else badge("below the target", "warn")
    told = f"score {found.score:.2f} of {found.target:.2f} wanted"
    with box("panel"):
        show(joined([
            el("p", el("strong", f"{found.score:.2f}"), f" of {found.target:.2f} wanted ", mark, class_="lead"),
            share_bar(found.score, told),
        ]))  # fmt: skip
        text("The mean over what was measured; what was not does not count.", "soft small", tag="p")
        if found.unmet:
            names = ", ".join(_name(name) for name in found.unmet)
            text(f"Look here first: {names}.", tag="p")


def _figures(caption: str, figures: list[Figure]) -> Html:
    rows: list[list[Child]] = [
        [el("strong", _name(f.name)), _value(f), _target(f), _met(f), f"{f.samples:,}", one_line(f.how, 300)]
        for f in figures
    ]
    columns = [Column("figure"), Column("is", "number"), Column("should be", "number"), Column("")]
    return table(caption, [*columns, Column("samples", "number"), Column("how it is measured", "long")], rows)


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", " "))


def _value(figure: Figure) -> Child:
    return "not measured" if figure.value is None else _amount(figure.name, figure.value)


def _target(figure: Figure) -> str:
    if figure.target is None:
        return "–"
    return f"{'≤' if figure.at_most else '≥'} {_amount(figure.name, figure.target)}"


def _amount(name: str, value: float) -> str:
    if name.endswith("_ms"):
        return duration(value / 1000)
    return f"{value:.3g}"


def _met(figure: Figure) -> Html:
    if figure.met is None:
        return badge("no target" if figure.value is not None else "not measured")
    return badge("met", "good") if figure.met else badge("missed", "bad")


def _weeks(weeks: list[FrictionWeek]) -> Html:
    rows: list[list[Child]] = [
        [
            w.week, w.user, _count(w.taps, MAX_TAPS), _count(w.dialogs, MAX_DIALOGS), str(w.nags), str(w.edits),
            str(w.overrides), duration(w.median_seconds),
            badge("met", "good") if w.is_within_targets else badge("missed", "bad"),
        ]
        for w in weeks
    ]  # fmt: skip
    numbers = (f"taps (≤ {MAX_TAPS})", f"dialogs (≤ {MAX_DIALOGS})", "nags", "edits", "overrides", "median time")
    columns = [Column("week"), Column("user", "long"), *(Column(name, "number") for name in numbers), Column("targets")]
    return table("Friction by user and week, the latest first", columns, rows)


def _count(count: int, most: int) -> Html:
    return el("span", str(count), class_="over-target" if count > most else None)
