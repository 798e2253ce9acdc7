"""Whether a goal calls for a tool that writes, by its words. Pure.

A tool is called for when the goal orders what it does (to send, to delete, to pay ...) and, where both say on what (an
e-mail, an event, money ...), the same thing. Many words are orders at the beginning of a clause only: "e-mail Ann" is
one, "Ann's e-mail" is none. Words that this module does not know are compared as they are. It errs towards "not called
for": then a person is asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from agents.rules.classification import classify
from agents.rules.text import stem, words
from agents.tools.registry import Tool

_ACTS = {
    "send": "send email mail message forward reply respond answer tell notify inform share deliver dm text ping "
    "contact ask say greet thank remind announce introduce let write post invite",
    "write": "write create make add draft prepare produce generate compose save store record note put file export set "
    "append publish post print document summarise summarize schedule",
    "delete": "delete remove erase clear drop cancel clean trash purge uninstall kick revoke unsubscribe",
    "change": "change update edit modify adjust correct fix set rename replace move reschedule postpone shift increase "
    "decrease raise lower refresh extend configure amend switch",
    "pay": "pay transfer refund wire buy purchase order remit settle reimburse donate send",
    "book": "book booking reserve reservation schedule plan rent arrange organise organize",
    "join": "add invite include join append share grant onboard",
    "publish": "publish post upload share announce release",
    "control": "turn switch dim lock unlock play pause start stop set open close heat cool",
    "run": "run execute deploy launch start restart trigger call",
}
"""Words by what is done; one word may stand for several."""
_THINGS = {
    "mail": "email mail inbox newsletter reply",
    "message": "message dm chat channel text direct slack reply everyone",
    "money": "money pay paid payment amount difference owe spent dollar euro transaction transfer bill invoice rent "
    "refund fund subscription price wire tax",
    "event": "event meeting appointment calendar lunch dinner breakfast coffee party schedule reminder participant "
    "meet workshop gathering checkup reschedule",
    "file": "file document note list folder spreadsheet presentation report text brief memo draft article blog "
    "newsletter summary essay page",
    "user": "user member team workspace invite slack channel",
    "secret": "password credential login secret token passphrase pin",
    "profile": "address detail profile street city phone info name move",
    "page": "webpage page website site url link blog",
    "room": "hotel room stay accommodation",
    "vehicle": "car rental vehicle taxi",
    "table": "restaurant table dinner lunch",
}
"""Words by what it is done to."""
_NOUNS_TOO = """
    email mail message text post plan schedule book order transfer record note file document answer reply contact call
    run start stop rent share set print draft export update change fix move play purchase wire ping switch refund edit
    cool heat lock release drop close open lower say thank ask let make
"""
"""Orders that are other words as well: they count at the beginning of a clause."""
_LEADS = """
    and then to please also you should must or just now kindly can could would will i'd me we us first finally next
    afterwards go ahead instead either both
"""
_BEFORE_AN_ORDER = frozenset(_LEADS.split())
_PIECE = re.compile(r"\b(?:brief|report|memo|post|article|blog|newsletter|document|draft)\b", re.IGNORECASE)
"""What a person who orders it wants as a file."""
_MAKES = re.compile(r"\b(?:write|draft|compose|save|publish)\b", re.IGNORECASE)
_A_PIECE = re.compile(r"\b(?:brief|report|memo|post|article|blog|newsletter|document)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"\s*(?:what|which|who|whose|when|where|why|how|is|are|was|were|does|do|did|has|have)\b", re.IGNORECASE
)
_NAMED = {
    ("send", "mail"): re.compile(r"[\w.+-]@[\w-]+\.\w"),
    ("send", "message"): re.compile(r"(?<!\w)#[a-z][\w-]+"),
    ("write", "file"): re.compile(r"\b[\w-]+\.(?:md|txt|csv|tsv|json|html?|pdf|docx?|xlsx?|pptx?)\b", re.IGNORECASE),
}
"""By what is done and to what: an address, a channel or the name of a file says the latter without a word for it."""
_CLAUSE = re.compile(r"[.,:;!?()\n]+|\d+[.)]\s")
_SENTENCE = re.compile(r"[,;!?\n]+|\.(?=\s|$)|\b(?:and|but)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|nothing|nobody|without \w+ing)\b|n['’]t\b", re.IGNORECASE)
_FILLERS = frozenset(
    {"a", "an", "the", "to", "of", "in", "on", "for", "and", "with", "from", "by", "my", "user", "new"}
)


def calls_for(said: Iterable[str], tool: Tool) -> bool:
    """Return whether what a person has said asks for what a tool does.

    Args:
        said: The goal and what the person said before it.
        tool: A tool that writes.
    """
    texts = _plain(said)
    does, to = _acts_of(tool), _things_of(tool)
    if tool.undo is not None and "write" in does and any(map(_makes_something, texts)):
        return True
    return bool(_ordered(texts, tool, does, to))


def acts_called_for(goal: str, tool: Tool) -> frozenset[str]:
    """Return by which orders a goal asks for what a tool does; what it says not to do is no order.

    Args:
        goal: What a person wants.
        tool: A tool that writes.
    """
    does, to = _acts_of(tool), _things_of(tool)
    if "write" in does and (not to or "file" in to) and not wants_a_file(goal):
        return frozenset()
    rest = {each for each in _stems(tool.name) if not _families([each], "acts")} - _FILLERS
    if not to and rest and not rest & {stem(word) for word in words(goal)}:
        return frozenset()
    wanted = [clause for clause in _SENTENCE.split(goal) if not _NOT.search(clause)]
    return frozenset(_ordered(_plain(wanted), tool, does, to))


def is_about_the_same(tool: Tool, other: Tool) -> bool:
    """Return whether two tools do what they do to the same kind of thing, as far as their names tell."""
    things, others = _things_of(tool), _things_of(other)
    return not things or not others or bool(things & others)


def wants_a_file(goal: str) -> bool:
    """Return whether a goal is for a piece of writing, or an act; a question ("Which newsletter ...?") is not."""
    ordered = classify(goal) == "action" or _MAKES.search(goal) is not None
    return ordered or (_A_PIECE.search(goal) is not None and not _ASKS.match(goal))


def _plain(said: Iterable[str]) -> list[str]:
    return [re.sub(r"(?<=\be)-(?=mail)", "", text, flags=re.IGNORECASE) for text in said]


def _things_of(tool: Tool) -> set[str]:
    return _families(_stems(tool.name), "things")


def _ordered(texts: Sequence[str], tool: Tool, does: set[str], to: set[str]) -> set[str]:
    """Return the acts of a tool that texts order; its own name where nobody knows what it does, and they say it."""
    known = {stem(word) for text in texts for word in words(text)}
    if not does:
        return set() if set(_stems(tool.name)) - _FILLERS - known else {tool.name}
    ordered = {order for text in texts for order in _orders(text)}
    acts, things = _families(ordered, "acts") & does, _families(known, "things")
    things |= {thing for (act, thing), mark in _NAMED.items() if act in acts and any(map(mark.search, texts))}
    return acts if not to or things & to else set()


def _makes_something(goal: str) -> bool:
    return classify(goal) in ("creation", "action") or _PIECE.search(goal) is not None


def _orders(text: str) -> Iterable[str]:
    """Yield the stems of what a text orders to be done."""
    for clause in _CLAUSE.split(text):
        before = ""
        for word in words(clause):
            if stem(word) not in _ambiguous() or before in ("", *_BEFORE_AN_ORDER):
                yield stem(word)
            before = word


@lru_cache(maxsize=1)
def _ambiguous() -> frozenset[str]:
    return frozenset(map(stem, _NOUNS_TOO.split()))


def _acts_of(tool: Tool) -> set[str]:
    """Return what a tool does: by the first word of its name that says so, its capability, or its description."""
    begins = " ".join(tool.description.split()[:2])
    told = [[each] for each in _stems(tool.name)] + [_stems(tool.capability or ""), _stems(begins)]
    return next((found for stems in told if (found := _families(stems, "acts"))), set())


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(re.sub(r"[_-]", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)))]


def _families(found: Iterable[str], kind: str) -> set[str]:
    known = set(found)
    return {name for name, members in _stemmed(kind).items() if known & members}


@lru_cache(maxsize=2)
def _stemmed(kind: str) -> Mapping[str, frozenset[str]]:
    families = _ACTS if kind == "acts" else _THINGS
    return {name: frozenset(map(stem, members.split())) for name, members in families.items()}
