"""The supervisor's twin: replies to small talk, asks back when a goal is vague, refuses the forbidden, else plans."""

import re

from agents.contracts import RoutingRequest
from agents.rules.classification import classify
from agents.rules.follow_ups import follow_up
from agents.rules.text import STOP_WORDS, content_words, stem, stems, words
from agents.team import Team
from domain.plans import QueryKind
from domain.routing import RouteDecision, RouteSource

_FORBIDDEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (
            r"\b(?:show|print|reveal|tell|give|list|send|leak|expose|dump|read|what(?:'s| is| are))\b[^.?!]{0,40}"
            r"\b(?:your|the system'?s?|this (?:machine|server)'?s?|our|my|\w+'s)\s+(?:\w+\s+){0,2}"
            r"(?:api[ _-]?keys?|passwords?|credentials?|(?:secret|private) keys?|tokens?|environment variables?)\b",
            "it asks for secrets such as keys or passwords, which the team neither has nor shows",
        ),
        (
            r"\b(?:write|create|build|make|run|launch|start|perform|carry out|help me)\b[^.?!]{0,40}"
            r"\b(?:ddos(?: attack)?|ransomware|malware|keylogger|phishing (?:e-?mail|page|site|campaign|attack)s?"
            r"|brute[- ]force attack|sql injection attack)\b"
            r"|\bhack (?:into|my|his|her|their|the|a|an|our)\b"
            r"|\bsteal\b[^.?!]{0,30}\b(?:passwords?|credentials?|identit\w+)\b",
            "it asks for an attack on people or systems",
        ),
        (
            r"\b(?:ignore|disregard|forget|override|bypass)\b[^.?!]{0,20}\b(?:your|the|all|any|team'?s?|previous)\s+"
            r"(?:\w+\s+){0,2}(?:rules|constraints|instructions|guidelines|limits)\b",
            "it asks to set aside the team's rules",
        ),
    )
)  # fmt: skip
_DEFENCE = re.compile(
    r"\b(?:protect|prevent|avoid|detect|defend|against|stop|policy|training|awareness|why|explain|how to report)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:no|not|never|without|don't|avoid|why|policy|whether)\b", re.IGNORECASE)

_VAGUE_TEXT = """
    thing things stuff something anything everything it this that these those one ones do does done make work
    task job go start continue proceed next again help try fix handle deal sort write create find show tell look
    summarise summarize compare analyse analyze report explain brief usual same whatever
"""
_VAGUE = frozenset(_VAGUE_TEXT.split())


async def supervise(request: RoutingRequest) -> RouteDecision:
    """Return which way the goal goes, with what memory said about it."""
    source, kind, message, explanation = _judged(request)
    recall = request.recall
    return RouteDecision(
        source=source,
        kind=kind,
        sequence=recall.sequence if source == "planner" and recall.band == "hint" else [],
        confidence=recall.confidence,
        band=recall.band,
        neighbours=recall.neighbours,
        explanation=explanation,
        message=message,
        degraded=True,
    )


def _judged(request: RoutingRequest) -> tuple[RouteSource, QueryKind, str, str]:
    kind = classify(request.goal)
    if answer := follow_up(request.goal, request.briefing.earlier):
        return "reply", "conversation", answer, "a follow-up that what was found before answers; nothing is done again"
    if kind == "conversation":
        return "reply", kind, _reply(request), "small talk or a question about the team, which needs no work"
    if reason := refusal(request.goal, request.team):
        return "refuse", kind, f"The team does not do this: {reason}.", reason
    if _is_vague(request.goal):
        return "ask", kind, _question(request), "the goal does not say what the work is about"
    explanation = f"Nothing remembered is sure enough, so this is planned as {_article(kind)} {kind} by rules."
    return "planner", kind, "", f"{request.recall.explanation} {explanation}".strip()


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"


def refusal(goal: str, team: Team) -> str:
    """Return why a goal is refused, or an empty string; in doubt it is not."""
    if not _DEFENCE.search(goal):
        for pattern, reason in _FORBIDDEN:
            if pattern.search(goal):
                return reason
    broken = next((rule for rule in team.constraints if _asks_to_break(goal, rule)), None)
    return f"it is against the rule {broken!r}" if broken else ""


_PROHIBITION = re.compile(r"^(?:no|never|nothing|do not|don't)\b", re.IGNORECASE)


def _asks_to_break(goal: str, rule: str) -> bool:
    """Tell whether a goal orders what a rule of the form "No ..." or "Never ..." forbids, almost in its words."""
    forbidden = {stem(word) for word in content_words(rule) if word not in _VAGUE}
    if not _PROHIBITION.match(rule) or _NEGATION.search(goal) or len(forbidden) < 3:
        return False
    return len(forbidden & set(stems(goal))) >= 0.8 * len(forbidden)


def _is_vague(goal: str) -> bool:
    """Tell whether a goal names nothing to work on: filler words only, or one bare word."""
    meant = [word for word in words(goal) if word not in STOP_WORDS and word not in _VAGUE]
    return not meant or (len(words(goal)) == 1 and not any(stem(word).isdigit() for word in meant))


def _reply(request: RoutingRequest) -> str:
    if re.search(r"\b(?:thanks?|thank you|thx|cheers|great|nice|good job|well done|perfect)\b", request.goal, re.I):
        return "You're welcome. Give me the next goal whenever you like."
    if re.search(r"\b(?:bye|goodbye|see you)\b", request.goal, re.I):
        return "Goodbye."
    team = request.team
    members = "\n".join(f"- {s.name}: {s.description}" for s in team.specialists)
    return (
        f"I am the {team.name} team. {team.description}\n\nWho does what:\n{members}\n\n{_at_hand(request)}"
        "No language model plays the supervisor at the moment: this answer comes from fixed rules."
    )


def _at_hand(request: RoutingRequest) -> str:
    names = _material_names(request)
    return f"At hand: {names}. Ask a question about them, or say what should be written.\n\n" if names else ""


def _material_names(request: RoutingRequest) -> str:
    names = [material.name for material in request.briefing.at_hand]
    rest = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(names[:6]) + rest


def _question(request: RoutingRequest) -> str:
    words_given = " ".join(request.goal.split())
    shown = words_given if len(words_given) <= 60 else words_given[:59] + "…"
    names = _material_names(request)
    materials = f" At hand: {names}." if names else ""
    bare = [word for word in words(request.goal) if word not in STOP_WORDS and word not in _VAGUE]
    if bare:
        return (
            f'What would you like to know or have about {shown!r}? For example: "What do the documents say about '
            f'{bare[0]}?" or "Write a brief about {bare[0]}."{materials}'
        )
    question = "Which subject, document or table, and what should come out?"
    return f"{shown!r} does not say what it is about. {question}{materials}"
