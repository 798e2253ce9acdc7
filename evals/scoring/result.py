"""Scorers of what came of a turn: status, content, figures recomputed from the data, citations, files, quality."""

import math
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from agents.rules.rubric import Judgement
from agents.rules.text import numbers
from agents.team import DEFAULT_ASPECTS
from agents.tools.folders import scan
from agents.tools.tables import Tables
from domain import events as ev
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import ExpectedQuality, ExpectedResult, Figure, Score, at_least, right

_CITED = re.compile(r"\[([^\[\]\n]+?\.\w{2,8})(?:,[^\]\n]*)?\]")
"""A file name in brackets, with or without a place in it; an external link's text is one only if it looks like that."""


def score_result(expected: ExpectedResult, seen: Evidence) -> Iterator[Score]:
    """Score what the answer says and what was delivered."""
    outcome = seen.outcome
    if outcome is None:
        yield Score(name="result", value=0.0, passed=False, detail="the turn has no outcome")
        return
    if expected.status:
        fits = outcome.status in expected.status
        why = f": {outcome.failure.message}" if outcome.failure else ""
        yield right("result.status", fits, f"{outcome.status}, not {' or '.join(expected.status)}{why}")
    said = outcome.answer.casefold()
    for wanted in expected.contains:
        found = any(part.strip().casefold() in said for part in wanted.split("|"))
        yield right("result.contains", found, f"the answer does not say {wanted!r}")
    for unwanted in expected.lacks:
        yield right("result.lacks", unwanted.casefold() not in said, f"the answer says {unwanted!r}")
    yield from _figures(expected.figures, outcome.answer, seen.tables)
    if expected.citations:
        yield _citations(outcome.answer, seen.data)
    for pattern in expected.files:
        names = [file.name for file in scan(seen.out)] if seen.out and seen.out.is_dir() else []
        there = any(fnmatchcase(name, pattern) for name in names)
        yield right("result.files", there, f"no file {pattern!r}; there are {', '.join(names) or 'none'}")


def score_quality(expected: ExpectedQuality, seen: Evidence) -> Iterator[Score]:
    """Score how good the work is: by the run's critic, and by the rubric that asks no model."""
    outcome = seen.outcome
    if expected.critic is not None:
        found = (outcome and outcome.quality) or 0.0
        yield at_least("quality.critic", found, expected.critic)
    if expected.rubric is not None:
        results = [event.result for event in seen.of(ev.StepFinished) if event.result.status == "done"]
        goal = next((event.goal for event in seen.of(ev.RunStarted)), "")
        judged = Judgement(outcome.answer if outcome else "", goal, results).critique(DEFAULT_ASPECTS)
        yield at_least("quality.rubric", judged.score, expected.rubric, "; ".join(judged.issues))


def _figures(figures: tuple[Figure, ...], answer: str, tables: Tables | None) -> Iterator[Score]:
    if not figures:
        return
    if tables is None:
        yield Score(name="result.figures", value=0.0, passed=False, detail="the task has no data to compute them from")
        return
    stated = [float(number) for number in numbers(answer)]
    for figure in figures:
        rows = tables.query(figure.sql).rows
        if len(rows) != 1 or len(rows[0]) != 1 or rows[0][0] is None:
            msg = f"the query of figure {figure.name!r} gives no single number"
            raise ValueError(msg)
        true = abs(float(rows[0][0]))  # texts say "fell by 3", so signs are not compared
        fits = any(math.isclose(true, number, rel_tol=figure.tolerance) for number in stated)
        yield right(f"result.figure.{figure.name}", fits, f"{true:g} is not stated")


def _citations(answer: str, data: Path | None) -> Score:
    """Score that the answer names sources, and that each of them is a file of the data."""
    cited = {name.strip() for name in _CITED.findall(answer)}
    known = {file.name for file in scan(data)} if data else set()
    known |= {Path(name).name for name in known}
    if not cited:
        return Score(name="result.citations", value=0.0, passed=False, detail="the answer names no source")
    missing = sorted(cited - known)
    value = 1 - len(missing) / len(cited)
    detail = f"there is no {', '.join(missing)}" if missing else ""
    return Score(name="result.citations", value=value, passed=not missing, detail=detail)
