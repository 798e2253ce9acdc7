"""What the file of an answer is called: as the person says, or after what the goal is about. Pure."""

import re
from pathlib import PurePosixPath

from agents.rules.text import slug
from agents.tools.paths import parts_of
from domain.errors import PathNotAllowed

_SUFFIX = ".md"
_NO_TEXT = re.compile(r"\.(?:pdf|docx?|odt|xlsx?|ods|pptx?|odp|rtf|epub)", re.IGNORECASE)
"""Kinds of files that no text is: they get the name, and are Markdown."""
_KINDS = "md|markdown|txt|text|rst|csv|tsv|json|html?|xml|ya?ml|tex|log|pdf|docx?|odt|xlsx?|ods|pptx?|odp|rtf|epub"
_NAME = rf"[\"'`“‘]?(?P<name>[\w:/.~\\-]*[\w-]\.(?:{_KINDS}))(?![\w/])"
_WITHIN = r"(?:[^.?!;\n]|\.(?=\S))*?"
_A_FILE = r"(?:(?:an?|the)\s+)?(?:new\s+)?(?:file\s+)?(?:(?:called|named)\s+)?"
_IT = r"(?:it|this|that|these|those|them|everything|all|(?:the|your)\s+(?:answer|result|text|summary|brief|report))"
_SAVED = [
    re.compile(pattern + _NAME, re.IGNORECASE)
    for pattern in (
        rf"\b(?:sav|stor|writ|export|put|deliver|record|publish|keep|output)\w*\b{_WITHIN}\b(?:as|to|into)\s+{_A_FILE}",
        rf"\b(?:creat|mak|draft|produc|prepar|generat|summari[sz])\w*\b{_WITHIN}\bas\s+{_A_FILE}",
        rf"\b(?:sav|stor|writ|put|record|keep)\w*\s+{_IT}\s+(?:in|under)\s+{_A_FILE}",
        r"\b(?:creat|mak|writ|produc|generat)\w*\s+(?:an?|the)\s+(?:new\s+)?(?:\w+\s+)?file\s+(?:(?:called|named)\s+)?",
        r"\b(?:call|name)\s+(?:it|them|the\s+file)\s+",
    )
]
"""Orders to keep something, and under which name. A file that is only read from is named in other words."""


def file_for(goal: str) -> str:
    """Return the path, below the output folder, of the file that a goal's answer is written to."""
    return named_file(goal) or f"{slug(goal)}{_SUFFIX}"


def named_file(goal: str) -> str | None:
    """Return the path that a goal orders its answer to be written to; of one that leads elsewhere only the name."""
    found = next((found for pattern in _SAVED if (found := pattern.search(goal))), None)
    if found is None:
        return None
    path = PurePosixPath(found["name"].replace("\\", "/"))
    path = path.with_suffix(_SUFFIX) if _NO_TEXT.fullmatch(path.suffix) else path
    return next((str(each) for each in (path, PurePosixPath(path.name)) if _is_usable(str(each))), None)


def _is_usable(path: str) -> bool:
    try:
        return bool(parts_of(path))
    except PathNotAllowed:
        return False
