"""Who answers an open question: a person at the terminal, a file of decisions, `--yes`, or nobody."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from domain.approvals import SETTLE, ActionRequest, decode, typed_answer
from domain.consent_words import GIVE_CONSENT
from domain.errors import InvalidDecision
from domain.explanations import is_question
from understudy.cli.phrases import line, request_text
from understudy.cli.screen import put
from understudy.cli.terminal import Read, edited_in_editor
from understudy.cli.text import clean, one_line, shown_value

Answer = dict[str, Any]
"""One decision as the resume payload carries it, e.g. `{"type": "reject", "message": "too long"}`."""
Answers = Callable[[Sequence[ActionRequest]], list[Answer] | None]
"""Returns one answer per request, or None to leave the question open."""

KEYS = "[a]pprove  [e]dit  [r]eject  [m]essage  [v]iew in full  [q]uit, leave open"
SETTLE_KEYS = "[h]appened, mark it done  [t]ry again, it did not  [s]top  [v]iew in full  [q]uit, leave open"
CONSENT_KEYS = "[a]lways  [t]his time  [n]ever  [r]efuse this time  [q]uit, leave open"
_MEANT = {
    SETTLE: {"h": "it happened", "t": "it did not", "s": "stop"},
    GIVE_CONSENT: {"a": "always", "t": "this time", "n": "never", "r": "no"},
}
"""What letters mean for questions that have their own."""
_KEYS = {SETTLE: SETTLE_KEYS, GIVE_CONSENT: CONSENT_KEYS}
_LONG = 200
"""Characters from which a text is edited in an editor."""
_TYPES = ("approve", "accept", "edit", "reject", "ignore", "respond", "response")
_MATCHED_BY = ("name", "id", "checkpoint")


def nobody(_: Sequence[ActionRequest]) -> None:
    """Leave every question open."""


def approve_all(requests: Sequence[ActionRequest]) -> list[Answer] | None:
    """Approve everything; whether something happened cannot be approved unseen, so that question stays open."""
    if any(request.name == SETTLE for request in requests):
        return None
    return [{"type": "approve"} for _ in requests]


@dataclass
class DecisionFile:
    """Answers from a file; every entry is used once, in order, for the first request that it matches."""

    entries: list[Answer]
    otherwise: Answers = nobody
    """Answers the requests for which the file has nothing."""

    def __call__(self, requests: Sequence[ActionRequest]) -> list[Answer] | None:
        """Take one entry per request; when one is missing nothing is used up."""
        left, answers = list(self.entries), []
        for request in requests:
            entry = next((e for e in left if _matches(e, request)), None)
            if entry is not None:
                left.remove(entry)
                answers.append({key: value for key, value in entry.items() if key not in _MATCHED_BY})
            elif (other := self.otherwise([request])) is not None:
                answers += other
            else:
                return None
        self.entries = left
        return answers


def _matches(entry: Answer, request: ActionRequest) -> bool:
    """Return whether an entry is meant for a request; whether something happened is only said by one that names it."""
    if request.name == SETTLE and not {"name", "id"} & entry.keys():
        return False
    return all(entry[key] == getattr(request, key) for key in _MATCHED_BY if key in entry)


def read_decisions(path: Path) -> list[Answer]:
    """Return the decisions in a JSON file (a list, or `{"decisions": [...]}`) or a JSON Lines file.

    Raises:
        InvalidDecision: the file cannot be read, or an entry is not a decision; says which.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise InvalidDecision(msg) from error
    entries = _parsed(text, path)
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or str(entry.get("type")).lower() not in _TYPES:
            msg = f"{path}: decision {number} needs a type of approve, edit, reject or respond; got {entry!r:.80}"
            raise InvalidDecision(msg)
    return entries


def _parsed(text: str, path: Path) -> list[Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [_parsed_line(part, number, path) for number, part in enumerate(text.splitlines(), 1) if part.strip()]
    if isinstance(whole, Mapping):
        whole = whole.get("decisions", [whole])
    return whole if isinstance(whole, list) else [whole]


def _parsed_line(text: str, number: int, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{path}, line {number}: not JSON ({error.msg} at column {error.colno})"
        raise InvalidDecision(msg) from error


class AskedBack(Exception):
    """The person asks something before they decide; whoever can answer does, and asks them again."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


@dataclass
class Person:
    """Asks whoever sits at the terminal."""

    console: Console
    read: Read
    edit_text: Callable[[str], str] = edited_in_editor
    answers_back: bool = False
    """Whether somebody answers what they ask: then `AskedBack` is raised for it."""

    def __call__(self, requests: Sequence[ActionRequest]) -> list[Answer] | None:
        """Ask about one request after the other; nothing is sent before all are answered."""
        answers = []
        for number, request in enumerate(requests, start=1):
            if len(requests) > 1:
                put(self.console, line("question", f"{number} of {len(requests)}", "bold"))
            put(self.console, request_text(request))
            answer = self._decided(request)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    def _decided(self, request: ActionRequest) -> Answer | None:
        """Ask until an answer fits; None leaves the question open."""
        while True:
            try:
                typed = self.read(f"{_KEYS.get(request.name, KEYS)} > ").strip()
                if typed.lower() in ("q", "quit"):
                    return None
                answer = self._answer(typed, request)
                if answer is not None:
                    decode({"decisions": [answer]}, [request])
                    return answer
            except EOFError:
                return None
            except InvalidDecision as error:
                put(self.console, line("", str(error), "red"))

    def _answer(self, typed: str, request: ActionRequest) -> Answer | None:
        """Return what the typed text stands for, or None when something was shown and the question comes again."""
        if request.name in _MEANT:
            return self._meant(typed, request)
        match typed.lower():
            case "a" | "approve":
                return {"type": "approve"}
            case "e" | "edit":
                return self._edit(request)
            case "r" | "reject":
                return {"type": "reject", "message": self.read("why? (Enter: no reason) > ").strip()}
            case "m" | "message":
                return self._message()
            case "v" | "view":
                self._show_in_full(request)
                return None
        return self._typed(typed, request)

    def _meant(self, typed: str, request: ActionRequest) -> Answer | None:
        if typed.lower() == "v":
            self._show_in_full(request)
            return None
        return self._typed(_MEANT[request.name].get(typed.lower(), typed), request)

    def _typed(self, typed: str, request: ActionRequest) -> Answer | None:
        if (decision := typed_answer(typed, [request])) is not None:
            return decision.model_dump(exclude_defaults=True)
        asked = typed.removeprefix("/ask").strip()
        if self.answers_back and (asked != typed or is_question(typed)):
            raise AskedBack(asked)
        put(self.console, line("", f"{one_line(typed)!r} is not an answer; type one of the letters", "red"))
        return None

    def _message(self) -> Answer | None:
        message = self.read("what should be different? > ").strip()
        return {"type": "respond", "message": message} if message else None

    def _show_in_full(self, request: ActionRequest) -> None:
        for name, value in request.args.items():
            put(self.console, line(one_line(name), "", "bold"))
            self.console.print(Text(clean(shown_value(value))))

    def _edit(self, request: ActionRequest) -> Answer | None:
        """Return an answer with the arguments that the person changed, or None when there are none."""
        edited = {name: self._edited(name, value, request) for name, value in request.args.items()}
        changed = {name: value for name, value in edited.items() if value != request.args[name]}
        if not changed:
            put(self.console, line("", "nothing was changed", "yellow"))
            return None
        return {"type": "edit", "args": changed}

    def _edited(self, name: str, value: Any, request: ActionRequest) -> Any:
        current = shown_value(value)
        if "\n" in current or len(current) > _LONG:
            text = self.edit_text(current)
            # Editors end a text with a newline of their own.
            text = text if current.endswith("\n") else text.removesuffix("\n")
        else:
            text = self.read(f"{one_line(name)} [{one_line(current)}] > ") or current
        if text == current:
            return value
        return text if isinstance(value, str) or request.types.get(name) == "string" else _from_json(text, name)


def _from_json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{name!r} must be JSON, as it was: {error.msg} at line {error.lineno}"
        raise InvalidDecision(msg) from error
