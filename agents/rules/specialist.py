"""The specialists' twin: gathers with the tools a specialist has, or composes from what the steps before it found."""

import re
from typing import Literal, NamedTuple

from agents.contracts import Assignment
from agents.rules import pieces, research, sides, writing
from agents.rules.analysis import analysed
from agents.rules.evidence import Evidence, evidence_of
from agents.rules.summarising import summarised
from agents.rules.templates import composes
from agents.rules.toolwork import has, materials
from domain.outcomes import StepResult

Form = Literal["outline", "post", "campaign", "summary", "brief"]

NOTHING_CONFIDENCE = 0.1
_SUMMARISES = re.compile(r"\bsummar|\bcondens|\bmain points\b|\boverview\b|\brecap\b", re.IGNORECASE)
_READS_WHOLE = re.compile(r"\bsummar|\bread the (?:documents|materials)\b", re.IGNORECASE)
_FORMS: tuple[tuple[Form, re.Pattern[str]], ...] = (
    ("campaign", re.compile(r"\bcampaign|\bmarketing plan\b|\blaunch\b|\bstrateg(?:y|ies)\b", re.IGNORECASE)),
    ("post", re.compile(r"\bblog|\bpost\b|\barticle\b|\bnewsletter\b|\bad copy\b|\blanding page\b", re.IGNORECASE)),
    ("summary", re.compile(r"\bsummar|\bmain points\b|\boverview\b|\brecap\b", re.IGNORECASE)),
)  # fmt: skip


class Found(NamedTuple):
    """What a step has to work with, and how sure it is."""

    evidence: Evidence
    confidence: float


async def work(request: Assignment) -> StepResult:
    """Do a step: compose from the results it needs, or gather with its own tools."""
    given = evidence_of(request.inputs.values())
    makes = bool(request.inputs) or composes(request.specialist)
    found = Found(given, _passed_on(request)) if request.inputs and given else await _gathered(request)
    found = Found(given + found.evidence, found.confidence)
    return StepResult(
        step=request.step.id,
        agent=request.specialist.name,
        text=_written(request, found.evidence) if makes else writing.compact(request.goal, found.evidence),
        data=found.evidence.as_data(),
        sources=list(found.evidence.sources),
        confidence=found.confidence,
        degraded=True,
    )


def _passed_on(request: Assignment) -> float:
    """Return the mean confidence of the inputs: composing adds no knowledge."""
    known = [result.confidence for result in request.inputs.values() if result.status == "done"]
    return round(sum(known) / len(known), 2)


async def _gathered(request: Assignment) -> Found:
    """Ask every kind of material that the specialist can read; the surest answer counts."""
    parts = [part for part in (await _from_tables(request), await _from_documents(request)) if part]
    if not parts:
        reason = "There are no materials that this specialist can read."
        return Found(Evidence(gaps=(reason,)), NOTHING_CONFIDENCE)
    useful = [part for part in parts if part.evidence] or parts
    return Found(sum((part.evidence for part in useful), Evidence()), max(part.confidence for part in useful))


async def _from_tables(request: Assignment) -> Found | None:
    if not has(request, "describe_table", "query_tables") or not materials(request, "table"):
        return None
    result = await analysed(request)
    figures = (result.figures,) if result.figures else ()
    return Found(Evidence(figures=figures, gaps=tuple(result.gaps), sources=tuple(result.sources)), result.confidence)


async def _from_documents(request: Assignment) -> Found | None:
    if not materials(request, "document") or not (has(request, "search_documents") or has(request, "read_document")):
        return None
    if has(request, "read_document") and _wants_summary(request):
        evidence = await summarised(request)
        return Found(evidence, 0.6 if evidence else NOTHING_CONFIDENCE)
    two = sides.sides_of(request.goal)
    evidence = await (sides.compared(request, two) if two else research.researched(request))
    return Found(evidence, research.confidence(request.goal, evidence.quotes))


def _wants_summary(request: Assignment) -> bool:
    """Tell whether whole documents are to be read rather than searched."""
    task = request.step.task.replace(request.goal, "")
    whole = _READS_WHOLE.search(task) or _SUMMARISES.search(request.goal)
    return bool(whole) or not has(request, "search_documents")


def _written(request: Assignment, evidence: Evidence) -> str:
    match _form(request):
        case "outline":
            return pieces.outline(request, evidence)
        case "post":
            return pieces.post(request, evidence)
        case "campaign":
            return pieces.campaign(request, evidence)
        case "summary":
            return writing.summary(request.goal, evidence)
        case "brief":
            return writing.brief(request.goal, evidence)


def _form(request: Assignment) -> Form:
    if re.search(r"\boutline\b", request.step.task.replace(request.goal, ""), re.IGNORECASE) and not request.inputs:
        return "outline"
    return next((form for form, pattern in _FORMS if pattern.search(request.goal)), "brief")
