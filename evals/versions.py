"""What is compared: a version by its specification, as people write it.

    current                                         the present tree
    before.json                                     results that `eval run --json` gave
    commit:v1.2                                     a commit of this repository
    team=mine.toml,prompts=drafts,reuse_above=0.9   the present tree with other parts and settings

Parts are `team`, `prompts` and `model`; a setting inside another is named with a dot: `planning_weights.cost=1`.
"""

import difflib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agents.team_files import load_team
from domain.errors import UserError
from evals.playing import PlayMode, Version

CURRENT = "current"
_COMMIT = "commit:"
_PARTS = ("team", "prompts", "model")
_MODELS = {"models", "fallback_model"}
"""Settings that name models: no recording says what these would answer."""


class InvalidVersion(UserError):
    """A specification names no version."""

    code = "invalid_version"


class Results(NamedTuple):
    """A file of results."""

    path: Path


class Commit(NamedTuple):
    """A commit of this repository."""

    revision: str


class Tree(NamedTuple):
    """The present tree, with what is changed in it."""

    version: Version

    def mode(self, *, tolerant: bool) -> PlayMode:
        """Return how it is played: a model that is named is asked, be it for one job or in another's place."""
        if self.version.model or self.version.settings.keys() & _MODELS:
            return "live"
        return "tolerant" if tolerant else "strict"


Spec = Results | Commit | Tree


def changed(spec: Spec) -> bool:
    """Return whether a version may ask what was not recorded; both are played tolerantly then, so that they compare."""
    return isinstance(spec, Commit) or (isinstance(spec, Tree) and spec.version != Version())


def parsed(text: str, settings: Collection[str]) -> Spec:
    """Return what a specification means.

    Args:
        text: As a person wrote it.
        settings: Names of the settings that there are.

    Raises:
        InvalidVersion: It means nothing.
        UserError: It names a team that cannot be loaded.
    """
    if text == CURRENT:
        return Tree(Version())
    if text.startswith(_COMMIT):
        return Commit(_named(text.removeprefix(_COMMIT), "a commit"))
    if _is_file(text) or "=" not in text:
        return Results(_file(text))
    return Tree(_changed(text, settings))


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a name of a file can be
        return False


def _file(text: str) -> Path:
    if not _is_file(text):
        msg = f"{text!r:.80} is no file, nor `current`, nor `commit:REV`, nor settings such as `team=mine.toml`"
        raise InvalidVersion(msg)
    return Path(text)


def _changed(text: str, settings: Collection[str]) -> Version:
    given: dict[str, Any] = {}
    for part in _split(text):
        name, equals, value = part.partition("=")
        if not equals or not value or name in given:
            msg = f"{part!r:.80} in {text!r:.200}: one KEY=VALUE is wanted for each thing that changes"
            raise InvalidVersion(msg)
        given[_known(name, settings)] = value
    return Version(
        team=_team(given.pop("team", None)),
        prompts=_folder(given.pop("prompts", None)),
        model=_model(given.pop("model", None)),
        settings=_nested({name: _value(value) for name, value in given.items()}),
    )


def _split(text: str) -> list[str]:
    """Return the parts; a comma within the brackets of a JSON value parts nothing."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _known(name: str, settings: Collection[str]) -> str:
    known = [*_PARTS, *sorted(settings)]
    if name.partition(".")[0] not in known:
        near = difflib.get_close_matches(name.partition(".")[0], known, n=1)
        msg = f"there is no setting {name!r:.60}" + (f"; did you mean {near[0]!r}?" if near else "")
        raise InvalidVersion(msg)
    return name


def _team(named: str | None) -> str | None:
    if named is None:
        return None
    load_team(named)
    return str(Path(named).resolve()) if "/" in named or named.endswith(".toml") else named


def _folder(named: str | None) -> Path | None:
    if named is None:
        return None
    if not Path(named).is_dir():
        msg = f"there is no folder of prompts {named!r:.200}"
        raise InvalidVersion(msg)
    return Path(named).resolve()


def _model(named: str | None) -> str | None:
    if named is not None and not all(named.partition(":")[::2]):
        msg = f"a model is named as provider:name, not {named!r:.80}"
        raise InvalidVersion(msg)
    return named


def _named(text: str, what: str) -> str:
    if not text or text.startswith("-"):
        msg = f"{text!r:.80} does not name {what}"
        raise InvalidVersion(msg)
    return text


def _value(text: str) -> Any:
    """Return a JSON value, or else the words themselves."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those inside others, named with a dot, in their place."""
    found: dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = name.split(".")
        place = found
        for key in outer:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                msg = f"{key!r} is given as a whole and in part"
                raise InvalidVersion(msg)
        place[last] = value
    return found
