"""The reviser's twin: mends what the rubric finds, and keeps a change only if the rubric scores it higher."""

import re
from collections.abc import Callable, Sequence

from agents.contracts import RevisionRequest
from agents.rules import rubric, writing
from agents.rules.evidence import evidence_of
from agents.rules.rubric import Judgement
from agents.rules.text import normalised, numbers, sentences, title
from domain.outcomes import Draft, StepResult


async def revise(request: RevisionRequest) -> Draft:
    """Return the next draft; the same text when nothing can be improved."""
    results = [result for result in request.results if result.status == "done"]
    judgement = Judgement(request.draft.text, request.goal, results)
    for starts_with, mend in _MENDERS:
        if any(issue.startswith(starts_with) for issue in judgement.issues()):
            judgement = _better(judgement, mend(judgement), request.team.quality.critique_aspects)
    changed = judgement.text != request.draft.text
    return Draft(text=judgement.text, by="reviser" if changed else request.draft.by, degraded=True)


def _better(judgement: Judgement, text: str, aspects: Sequence[str]) -> Judgement:
    mended = Judgement(text, judgement.goal, judgement.results)
    return mended if mended.critique(aspects).score > judgement.critique(aspects).score else judgement


def _compose_anew(judgement: Judgement) -> str:
    """Return a draft from the results where there is none."""
    return writing.brief(judgement.goal, evidence_of(judgement.results))


def _drop_figures(judgement: Judgement) -> str:
    """Return the text without the sentences and table rows that state unsupported figures."""
    wrong = set(judgement.unsupported)
    return _without(judgement.text, lambda part: bool(wrong & set(numbers(part))))


def _drop_repetitions(judgement: Judgement) -> str:
    """Return the text with each sentence where it stands first."""
    seen = set[str]()

    def is_repeated(part: str) -> bool:
        key = normalised(part)
        known = key in seen and len(key.split()) > 3
        seen.add(key)
        return known

    return _without(judgement.text, is_repeated)


def _without(text: str, unwanted: Callable[[str], bool]) -> str:
    """Return the text without unwanted sentences; headings, code and empty lines stay."""
    kept, in_code = list[str](), False
    for line in text.splitlines():
        fence = line.strip().startswith("```")
        in_code ^= fence
        if in_code or fence or not line.strip() or line.startswith("#"):
            kept.append(line)
        elif line.lstrip().startswith("|"):
            kept += [] if unwanted(line) else [line]
        else:
            kept += _line_without(line, unwanted)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _line_without(line: str, unwanted: Callable[[str], bool]) -> list[str]:
    mark = re.match(r"\s*(?:[-*+]|\d+[.)]|>+)?\s*", line)
    start = mark[0] if mark else ""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z“\"*])", line[len(start) :])
    good = [part for part in parts if not unwanted(part)]
    return [start + " ".join(good)] if good else []


def _add_findings(judgement: Judgement) -> str:
    """Return the text with the findings of the steps that it does not reflect."""
    parts = [f"## Findings of {result.agent}\n\n{_findings(result)}" for result in judgement.unreflected]
    return "\n\n".join([judgement.text.rstrip(), *parts])


def _findings(result: StepResult) -> str:
    found = evidence_of([result])
    lines = [f"- {sentence}" for figures in found.figures for sentence in found.told(figures)]
    lines += [f"- “{quote.text}” {quote.citation}" for quote in found.quotes]
    tables = [writing.table(figures) for figures in found.figures if not figures.sentences]
    return "\n\n".join(["\n".join(lines), *tables]).strip() or result.text.strip()


def _add_sources(judgement: Judgement) -> str:
    """Return the text with a list of its sources."""
    names = dict.fromkeys(source.name for result in judgement.results for source in result.sources)
    return "\n".join([judgement.text.rstrip(), "", writing.SOURCES, "", *(f"- {name}" for name in names)])


def _split_long(judgement: Judgement) -> str:
    """Return the text with long sentences of its own cut at semicolons."""
    text = judgement.text
    for sentence in sentences(text):
        if len(sentence.split()) > 45 and ";" in sentence and sentence in text and "“" not in sentence:
            parts = [part.strip() for part in sentence.split(";")]
            text = text.replace(sentence, ". ".join(part[:1].upper() + part[1:] for part in parts))
    return text


def _add_headings(judgement: Judgement) -> str:
    """Return the text with a title, and a heading before every few paragraphs."""
    paragraphs = judgement.text.strip().split("\n\n")
    headed, since = ([] if paragraphs[0].startswith("# ") else [f"# {title(judgement.goal)}"]), 0
    for place, paragraph in enumerate(paragraphs):
        since = 0 if paragraph.startswith("#") else since + len(paragraph.split())
        if place and since > 200 and not paragraph.startswith(("#", "|", "```", "  ")):
            headed.append("## Further findings" if "## Further findings" not in headed else "## More")
            since = len(paragraph.split())
        headed.append(paragraph)
    return "\n\n".join(headed)


_MENDERS: tuple[tuple[str, Callable[[Judgement], str]], ...] = (
    (rubric.EMPTY, _compose_anew),
    (rubric.REMOVE_FIGURES, _drop_figures),
    (rubric.REMOVE_REPETITIONS, _drop_repetitions),
    (rubric.ADD_FINDINGS, _add_findings),
    (rubric.ADD_SOURCES, _add_sources),
    (rubric.SHORTEN, _split_long),
    (rubric.ADD_HEADINGS, _add_headings),
)
"""What mends which issue, in the order in which it is tried."""
