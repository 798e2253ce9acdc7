"""Words, stems and sentences of English text, as far as the rule-based twins need them."""

import re
from collections.abc import Iterable

_STOP_WORDS_TEXT = """
    a about above after again all also am among an and any are as at be because been before being below between both
    but by can could did do does doing down during each either else for from further get give go goes going gone had
    has have having he her here hers him his how i if in into is it its itself just let like me more most my no nor not
    now of off on once only or other our out over own per please same shall she should since so some such tell than
    that the their them then there these they this those through to too toward towards under until up upon us very via
    was we were what when where whether which while who whom whose why will with within without would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())

_INSTRUCTION_STEMS_TEXT = """
    add answer article analys analyz blog brief compar comparison compose compute content creat describ document draft
    essay everyth explain figur file find folder give highlight list look main make material memo newsletter note
    outlin overview paragraph piece plan point post prepar produc quick read report result review say save search show
    short section summar summary summari summaris summariz table tell text thank use want word writ write writeup
"""
INSTRUCTION_STEMS = frozenset(_INSTRUCTION_STEMS_TEXT.split())
"""Stems that say what to do with a subject rather than what the subject is."""

_WORD = re.compile(r"[A-Za-z0-9À-ɏ]+(?:['’][A-Za-z]+)?")
_ENDINGS = ("ations", "ation", "ings", "ing", "ions", "ion", "edly", "ed", "ly")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without possessive endings."""
    return [re.sub(r"['’]s?$", "", word.lower()) for word in _WORD.findall(text)]


def stem(word: str) -> str:
    """Return a word without its commonest English endings; a light stemmer, since only equality matters."""
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in _ENDINGS:
        root = word.removesuffix(ending)
        if root != word and len(root) >= 4:
            word = _undoubled(root) + ("at" if ending.startswith("ation") else "")
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _undoubled(root: str) -> str:
    return root[:-1] if root[-1] == root[-2] and root[-1] not in "aeiouls" else root


def content_words(text: str) -> list[str]:
    """Return the words that carry meaning, in order, in lower case."""
    return [word for word in words(text) if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


def stems(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    return [stem(word) for word in content_words(text)]


def subject_words(goal: str) -> list[str]:
    """Return the words that name what a goal is about, without those that say what to do with it."""
    return [w for w in dict.fromkeys(content_words(goal)) if stem(w) not in INSTRUCTION_STEMS and w != "generate"]


def coverage(wanted: Iterable[str], text: str) -> float:
    """Return the share (0-1) of the wanted words whose stems occur in a text; 1 when nothing is wanted."""
    needed = {stem(word) for word in wanted}
    return len(needed & set(stems(text))) / len(needed) if needed else 1.0


_MARKUP = re.compile(r"^\s*(?:[-*+]|\d+[.)]|>+)\s+")
_NOT_PROSE = re.compile(r"^\s*(?:#{1,6}\s|\||```|~~~|[-=*_]{3,}\s*$|!\[)")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bU\.S\.)(?<!\bvs\.)[\"”’)\]]*\s+(?=[\"“‘(\[]?[A-Z0-9])"
)


def paragraphs(text: str) -> list[str]:
    """Return the prose of a Markdown text, one string per paragraph or list item; no headings, tables or code."""
    found, current = list[str](), list[str]()
    lines = [*_prose_lines(text), ""]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        starts = _MARKUP.match(line) or _is_plain_heading(line, current, following)
        if current and (starts or not line.strip()):
            found.append(" ".join(current))
            current = []
        if line.strip() and not _is_plain_heading(line, current, following):
            current.append(_MARKUP.sub("", line).strip())
    return found


def _prose_lines(text: str) -> Iterable[str]:
    """Yield the lines of a text, empty ones in place of code, tables, headings and rules."""
    in_code = False
    for line in text.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        in_code ^= fence
        yield "" if fence or in_code or _NOT_PROSE.match(line) else line


def _is_plain_heading(line: str, before: list[str], following: str) -> bool:
    """Tell whether a short line without an end mark stands as a heading, as in plain text and PDFs."""
    text = line.strip()
    begins = not before or before[-1].endswith((".", "!", "?", ":"))
    ends = not following.strip() or following.strip()[:1].isupper()
    return (
        begins and ends and 0 < len(text) < 60 and text[0].isupper() and text[-1].isalnum() and not _MARKUP.match(line)
    )


def sentences(text: str) -> list[str]:
    """Return the sentences of a Markdown text's prose, without emphasis marks."""
    found = (part.strip() for paragraph in paragraphs(text) for part in _SENTENCE_END.split(paragraph))
    return [re.sub(r"\*\*|__|`", "", sentence) for sentence in found if sentence]


_LEANS_BACK = re.compile(r"^(?:It|They|This|These|Those|That|Its|Their|Such|He|She|The (?:former|latter)|There)\b")


def leans_back(sentence: str) -> bool:
    """Tell whether a sentence begins with a word that points to the one before it."""
    return bool(_LEANS_BACK.match(sentence))


_NUMBER = re.compile(r"(?<![\w.,])[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,])[-+−]?\d+(?:\.\d+)?")


def numbers(text: str) -> list[str]:
    """Return the numbers written in a text, without thousands separators and signs, in order."""
    return [match.lstrip("-+−").replace(",", "") for match in _NUMBER.findall(text)]


def normalised(sentence: str) -> str:
    """Return a sentence as it is compared with others: its words only."""
    return " ".join(words(sentence))


_CLAUSE = re.compile(r",?\s+and\s+(?=(?:what|which|how|why|who|when|where)\b)|(?<=[.?!])\s+", re.IGNORECASE)


def clauses(goal: str) -> list[str]:
    """Return the questions and orders in a goal that name a subject of their own; the goal itself if none does."""
    return [part for part in _CLAUSE.split(goal) if subject_words(part)] or [goal]


_REQUEST = re.compile(
    r"^(?:please\s+)?(?:can you\s+|could you\s+)?(?:write|create|draft|compose|prepare|produce|make|generate|plan|"
    r"design|develop|summari[sz]e|compare|give|find|search(?: for)?|analy[sz]e|describe|explain)\b\s*(?:me\s+|us\s+)?"
    r"(?:(?:an?|the|some|our)\s+)?"
    r"(?:(?:short|brief|long|quick|new|engaging|seo|linkedin|one-page)\s+)*"
    r"(?:(?:brief|report|memo|blog(?: post| article)?|post|article|newsletter|summary|note|essay|piece|text|overview|"
    r"page|press release|email|campaign|strategy|plan)\b\s*)?(?:(?:about|on|of|for|regarding|covering|that|to)\s+)?",
    re.IGNORECASE,
)


_SAVING = re.compile(
    r",?\s+(?:and|then|and then)\s+(?:please\s+)?(?:save|store|write|put|export|deliver|file|keep)\s+"
    r"(?:it|this|that|them|(?:the|your)\s+\w+)\b.*$",
    re.IGNORECASE,
)
"""What is to be done with the answer; no part of what it is about."""


def topic(goal: str) -> str:
    """Return what a goal is about in its own words: its first sentence without the words that order the work."""
    goal = _SAVING.sub("", goal)
    first = next(iter(re.split(r"(?<=[.?!])\s+", goal.strip())), goal).strip()
    rest = _REQUEST.sub("", first, count=1).strip().rstrip(".!")
    return rest or first.rstrip(".!")


def title(goal: str) -> str:
    """Return a heading for a goal's answer, at most 120 characters."""
    text = " ".join(topic(goal).split())
    text = text if len(text) <= 120 else text[:119].rsplit(" ", 1)[0] + "…"
    return text[:1].upper() + text[1:]


def slug(goal: str) -> str:
    """Return a short file name stem of the goal's subject, such as `iowa-electricity-mix`."""
    plain = [word for word in subject_words(goal) if re.fullmatch(r"[a-z0-9]+", word) and not word.isdigit()]
    return "-".join(word[:20] for word in plain[:4]) or "answer"
