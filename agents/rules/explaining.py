"""The explainer's twin: a question about a run is answered with the facts that its words ask for."""

import re
from collections.abc import Callable, Sequence

from agents.contracts import ExplanationRequest
from domain.explanations import RunFacts
from domain.outcomes import Draft

_Lines = Callable[[RunFacts], Sequence[str]]
_DECIDE = 'Answer "yes" to approve or "no, because ..." to reject; nothing happens before that.'


def _cost(facts: RunFacts) -> list[str]:
    expected = [f"What is asked about is expected to take {what}." for what in facts.expected]
    if facts.estimates:
        expected.append(f"The whole plan was expected to take {facts.estimates}.")
    if facts.state != "ended" and not expected:
        expected.append("What it will take is not known.")
    return [*expected, f"So far: {facts.spent}."]


def _steps(facts: RunFacts) -> list[str]:
    return [
        *(f"Done: {step}" for step in facts.done),
        *(f"At work: {step}" for step in facts.current),
        *(f"To come: {step}" for step in facts.left),
    ] or ["There is no plan yet."]


def _progress(facts: RunFacts) -> list[str]:
    done = [f"Done: {step}" for step in facts.done] or ["No step has ended yet."]
    return [*done, *(f"At work: {step}" for step in facts.current), *(f"Changed: {what}" for what in facts.changed)]


def _reasons(facts: RunFacts) -> list[str]:
    if facts.state != "waiting":
        return [part for part in (facts.route, facts.rationale) if part] or ["Nothing is known of the reasons."]
    return [*facts.reasons, *([facts.rationale] if facts.rationale else [])] or facts.asked


def _approach(facts: RunFacts) -> list[str]:
    return [part for part in (facts.route, facts.rationale) if part] or ["Nothing is known of the reasons."]


def _undo(facts: RunFacts) -> list[str]:
    return [f"Taking it back is {what}." for what in facts.undo] or ["Nothing has been changed outside."]


def _changes(facts: RunFacts) -> list[str]:
    return [f"Changed: {what}" for what in facts.changed] or ["Nothing has been changed outside so far."]


def _refusal(facts: RunFacts) -> list[str]:
    refused = "What is asked about will not be done; what depends on it is left out, and you are told what there is."
    return [refused, *(f"To come: {step}" for step in facts.left)]


def _sources(facts: RunFacts) -> list[str]:
    return [f"Source: {source}" for source in facts.sources] or ["No source has been read so far."]


def _trouble(facts: RunFacts) -> list[str]:
    return [f"Went wrong: {what}" for what in facts.trouble] or ["Nothing has gone wrong so far."]


def _question(facts: RunFacts) -> list[str]:
    return [*facts.asked, *facts.reasons] or [f"You are asked nothing at the moment; the run is {facts.state}."]


def _everything(facts: RunFacts) -> list[str]:
    lines = [f"The run for {facts.goal!r} is {facts.state}.", *facts.asked, *facts.reasons, *facts.current]
    return [*lines, f"So far: {facts.spent}."]


_ABOUT: tuple[tuple[str, _Lines], ...] = (
    (r"\bif i (?:say no|reject|refuse|do(?:n't| not))\b|\bwhen i reject\b", _refusal),
    (r"\b(?:undo|undone|reverse|reversible|take(?:n)? (?:it |this )?back|roll(?:ed)? back|revert)\b", _undo),
    (r"\b(?:cost|costs|price|expensive|dollars?|tokens?|money|how much|how long|take long|budget)\b", _cost),
    (r"\b(?:wrong|fail(?:ed|ure)?|error|problem|trouble)\b", _trouble),
    (r"\bwhy\b.*\b(?:ask|asking|asked|need|wait|waiting|approv\w*|me|decide)\b", _reasons),
    (r"\bwhy\b", _approach),
    (r"\b(?:changed?|written|wrote|sent|effects?)\b", _changes),
    (r"\b(?:sources?|where (?:does|did|is)|based on|read from|evidence|documents?)\b", _sources),
    (r"\b(?:so far|progress|status|done|already|doing|right now|at the moment|how far)\b", _progress),
    (r"\b(?:plan|steps?|next|after(?:wards)?|happens?|will (?:you|it|happen)|going to|left)\b", _steps),
    (r"\b(?:asking|asked|decide|approve|question|what is this|what for)\b", _question),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), lines) for pattern, lines in _ABOUT)


async def explain(request: ExplanationRequest) -> Draft:
    """Return what is known of the run that the question's words are about; the whole state where they say nothing."""
    about = next((lines for pattern, lines in _PATTERNS if pattern.search(request.question)), _everything)
    lines = list(dict.fromkeys(" ".join(line.split()) for line in about(request.facts)))
    told = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else "".join(lines)
    note = f"\n\n{_DECIDE}" if request.facts.state == "waiting" else ""
    return Draft(text=f"{told}{note}", by="explainer", degraded=True)
