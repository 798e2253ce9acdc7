"""A model that improvises: it answers every role of a team in the wanted form, by what the request shows.

Unlike a script it needs no order of calls, so that runs which retry, degrade or plan again can be played to their end.
Which work a goal is, and which plans are good for it, it is told as scenes.
"""

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evals.script import Reply, said

MAX_QUOTED = 600
"""Characters of a tool's output that a specialist quotes."""
TOOLS_PER_ROUND = 2
REVISED_SHARE = 0.3
"""Share of drafts that the critic sends back once."""
_REVISED = "Revised as asked."
_MARKS = re.compile(r"</?data[^>]*>")
_NO_DELIVERY = "no step writes a file"
_SPECIALIST = re.compile(r"^You are `(?P<name>[^`]+)`, a specialist")
_ASPECTS = re.compile(r"^Score each of these aspects[^:]*: (?P<names>[^.]*)\.$", re.MULTILINE)
_TASK = re.compile(r"Your task:\s*(?P<task>.*)\Z", re.DOTALL)
_RESULTS = re.compile(r"Results:\s*(?P<results>.*)\n\s*Goal:", re.DOTALL)
_DRAFT = re.compile(r"Draft:\s*(?P<draft>.*)\Z", re.DOTALL)


class Scene(BaseModel):
    """A goal and what a model makes of it."""

    model_config = ConfigDict(extra="forbid")

    goal: str
    kind: str
    """`domain.plans.QueryKind`; a `conversation` is answered at once."""
    plans: list[list[dict[str, Any]]] = Field(default_factory=list)
    """Alternatives, best first, each as the steps of `agents.roles.planner.PlanAnswer`."""


class Improviser:
    """Answers requests of the chat-completions API."""

    def __init__(
        self, scenes: Sequence[Scene], tool_args: Mapping[str, Mapping[str, Any]], *, delay: float = 0.0
    ) -> None:
        """Set up what it knows.

        Args:
            scenes: The goals that may come.
            tool_args: Arguments with which it calls a tool, by the tool's name; other tools it leaves alone.
            delay: Seconds that every answer takes.
        """
        self._delay = delay
        self._scenes = sorted(scenes, key=lambda scene: -len(scene.goal))
        self._tool_args = tool_args

    def reply(self, request: Mapping[str, Any]) -> Reply | None:
        """Return the answer of the role that the request is for, or None where there is no such role or goal."""
        answer = self._answer(request)
        return {**answer, "delay": self._delay} if answer is not None and self._delay else answer

    def _answer(self, request: Mapping[str, Any]) -> Reply | None:
        text = said(request)
        places = [(text.rfind(scene.goal), number) for number, scene in enumerate(self._scenes)]
        place, number = max(places, default=(-1, 0), key=lambda each: (each[0], -each[1]))
        if place < 0:
            return None
        scene = self._scenes[number]  # what is told last is what is asked; before it stands what is remembered
        match wanted_form(request):
            case "RouteAnswer":
                return {"content": _route(scene)}
            case "PlanningAnswer":
                return {"content": _plans(scene, text)}
            case "ReviewAnswer":
                return {"content": {"problems": []}}
            case "CritiqueAnswer":
                return {"content": _critique(text)}
            case "":
                return self._in_words(request, text)
            case _:
                return None

    def _in_words(self, request: Mapping[str, Any], text: str) -> Reply | None:
        system = str(request["messages"][0].get("content"))
        if _SPECIALIST.match(system):
            return self._worked(request, text)
        if system.startswith("You write the team's answer"):
            return {"content": _first(_RESULTS, text)}
        if system.startswith("You mend a draft"):
            return {"content": f"{_first(_DRAFT, text)}\n\n{_REVISED}"}
        if system.startswith("You keep the summary"):
            return {"content": "They greeted each other."}
        return None

    def _worked(self, request: Mapping[str, Any], text: str) -> Reply:
        """Call the first tools; then report what they gave."""
        outputs = [str(message["content"]) for message in request["messages"] if message.get("role") == "tool"]
        offered = [tool["function"]["name"] for tool in request.get("tools", ())]
        known = [name for name in offered if name in self._tool_args]
        if known and not outputs:
            return {"tool_calls": [{"name": n, "args": dict(self._tool_args[n])} for n in known[:TOOLS_PER_ROUND]]}
        task = _first(_TASK, str(request["messages"][1].get("content")))
        quoted = "\n\n".join(_plain(output)[:MAX_QUOTED] for output in outputs)
        return {"content": f"{task}\n\n{quoted or 'This follows from the results of the earlier steps.'}"}


def wanted_form(request: Mapping[str, Any]) -> str:
    """Return the name of the schema that the answer is to have; empty where it is to be text."""
    form = request.get("response_format") or {}
    return str(form.get("json_schema", {}).get("name", ""))


def _route(scene: Scene) -> dict[str, str]:
    if scene.kind == "conversation":
        return {"route": "reply", "kind": scene.kind, "message": "I am glad to help.", "reason": "small talk"}
    return {"route": "plan", "kind": scene.kind, "message": "", "reason": f"this is {scene.kind}"}


def _plans(scene: Scene, text: str) -> dict[str, Any]:
    """Return the best plan; after a failure the others."""
    plans = scene.plans[1:] if "Steps that failed" in text and scene.plans[1:] else scene.plans[:1]
    if _NO_DELIVERY in text:
        plans = [[step for step in steps if step.get("tool") != "write_file"] for steps in plans]
    return {"alternatives": [{"steps": steps, "rationale": "It fits the goal.", "confidence": 0.8} for steps in plans]}


def _critique(text: str) -> dict[str, Any]:
    names = [name.strip() for name in _first(_ASPECTS, text).split(",")]
    digest = hashlib.sha256(_first(_DRAFT, text).encode("utf-8", "surrogatepass")).hexdigest()
    if _REVISED not in text and random.Random(digest).random() < REVISED_SHARE:
        return {"aspects": dict.fromkeys(names, 0.6), "issues": ["Say it in fewer words."]}
    return {"aspects": dict.fromkeys(names, 0.95), "issues": []}


def _first(pattern: re.Pattern[str], text: str) -> str:
    """Return what a part of a prompt says, without the marks around quoted data."""
    match = pattern.search(text)
    return _plain(match[1]) if match else ""


def _plain(quoted: str) -> str:
    return _MARKS.sub("", quoted).replace("&lt;", "<").strip()
