"""Marketing pieces without a model: outlines of posts and campaigns, filled with what the materials say and no more."""

from collections.abc import Iterable, Mapping

from agents.contracts import Request
from agents.rules.evidence import Evidence
from agents.rules.text import subject_words, title, topic
from agents.rules.writing import table

_MADE_BY_RULES = "Working draft, made by fixed rules without a language model."
_MESSAGES = 5


def post(request: Request, evidence: Evidence) -> str:
    """Return a post: headline, opening, key messages, call to action, and what to do before it is published."""
    subject = _subject(request.goal)
    parts = [
        f"# {title(subject)}: what matters, and what to do next",
        _note(evidence, subject),
        _frame(request),
        "## Why this matters to you",
        _opening(evidence, subject),
        *_messages(evidence, subject),
        "## What to do next",
        f"Pick one point from above and try it this week: [what readers of this piece on {subject} should do, with its "
        "link]. Then tell us how it went; we read every reply.",
        _checklist(evidence),
    ]
    return "\n\n".join(part for part in parts if part)


def outline(request: Request, evidence: Evidence) -> str:
    """Return an outline: angle, points with their evidence, and the call to action."""
    subject = _subject(request.goal)
    points = list(_evidence_lines(evidence)) or [
        f"- [Development {n} in {subject}: what changed, since when, one figure with its source]" for n in (1, 2, 3)
    ]
    return "\n\n".join(
        [
            f"# Outline: {title(subject)}",
            _note(evidence, subject),
            _frame(request),
            f"## Angle\n\nWhat {subject} means for the reader's own work, rather than an overview of everything.",
            "## Main points and their evidence\n\n" + "\n".join(points),
            "## Call to action\n\n[The one thing that a reader should do after reading]",
        ]
    )


def campaign(request: Request, evidence: Evidence) -> str:
    """Return a plan: aim, audience, message, channels with their measures, timetable, open decisions."""
    subject = _subject(request.goal)
    known = list(_evidence_lines(evidence)) or [f"- Nothing in the materials speaks about {subject}."]
    return "\n\n".join(
        [
            f"# Campaign plan: {title(subject)}",
            _note(evidence, subject),
            _frame(request),
            "## What we know\n\n" + "\n".join(known),
            f"## Aim\n\n[One outcome of the campaign for {subject}, as a number with a date]",
            f"## Message\n\n[One sentence that only you can say about {subject}], supported by the points above.",
            "## Channels and their measures\n\n" + _CHANNELS,
            "## Timetable\n\n"
            "1. Prepare: agree on aim, audience and message; collect the missing facts.\n"
            "2. Produce: landing page first, then the e-mail and the posts that lead to it.\n"
            "3. Publish: start with existing contacts, widen after the first figures.\n"
            "4. Measure: compare with the aim, keep what works, stop what does not.",
            _checklist(evidence),
        ]
    )


_CHANNELS = (
    "| Channel | Why it is there | Measure |\n| --- | --- | --- |\n"
    "| E-mail to existing contacts | They know you already | Clicks per recipient |\n"
    "| Landing page | One place for the whole offer | Share of visitors who act |\n"
    "| Social posts | Reach beyond existing contacts | Visits that they bring |"
)


def _subject(goal: str) -> str:
    text = topic(goal)
    return text if subject_words(text) else goal


def _note(evidence: Evidence, subject: str) -> str:
    if evidence:
        return (
            f"> {_MADE_BY_RULES} Its statements are taken from the materials; places in [brackets] are yours to fill."
        )
    return (
        f"> {_MADE_BY_RULES} The materials say nothing about {subject}, so it makes no claims: "
        "places in [brackets] need your facts."
    )


def _frame(request: Request) -> str:
    voice = request.team.brand_voice | request.briefing.brand_voice
    lines = [f"- **Readers:** {_audience(request.briefing.target_profiles)}"]
    if voice:
        lines.append(f"- **Voice:** {', '.join(f'{key} {value}' for key, value in voice.items())}")
    return "\n".join(lines)


def _audience(profiles: list[Mapping[str, object]] | list[dict[str, object]]) -> str:
    names = [str(profile.get("name") or profile.get("role") or "") for profile in profiles]
    return ", ".join(name for name in names if name) or "[who reads this, and what they already believe]"


def _opening(evidence: Evidence, subject: str) -> str:
    if evidence:
        return f"This is what our material says about {subject}, point by point, with the place where you can check it."
    return (
        f"[One concrete moment in which {subject} touches the reader's day.] After reading, you know "
        "[what changes], [why now], and [what to do first]."
    )


def _messages(evidence: Evidence, subject: str) -> Iterable[str]:
    if not evidence:
        yield "## What is happening"
        yield "\n".join(
            f"{n}. [Development {n} in {subject}]: what changed, since when, one figure with its source."
            for n in (1, 2, 3)
        )
        yield "## What it means in practice"
        yield "\n".join(f"- [Consequence of development {n} for the reader]" for n in (1, 2, 3))
        return
    yield "## The key points"
    yield "\n".join(list(_evidence_lines(evidence))[:_MESSAGES])
    yield from (table(figures) for figures in evidence.figures if len(figures.rows) > 1)


def _evidence_lines(evidence: Evidence) -> Iterable[str]:
    for figures in evidence.figures:
        yield from (f"- {sentence} [{figures.table}]" for sentence in evidence.told(figures))
    yield from (f"- {quote.text} {quote.citation}" for quote in evidence.quotes)
    yield from (f"- {line}" for _, text in evidence.texts for line in text.splitlines()[:_MESSAGES] if line.strip())


def _checklist(evidence: Evidence) -> str:
    lines = ["- [ ] Every place in brackets is filled or deleted.", "- [ ] Every claim names its source."]
    lines += [f"- [ ] {gap}" for gap in evidence.gaps if evidence]
    return "## Before it is published\n\n" + "\n".join([*lines, "- [ ] Someone else has read it."])
