"""Team files: finding them by name, reading them, and explaining every mistake in them with its line.

These functions read files; asynchronous code calls them with `asyncio.to_thread`.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import teams
from agents.plugins_in_teams import joined
from agents.team import Team
from agents.team_references import TOOL_EFFECTS, reference_mistakes
from agents.team_schema import Mistake, TeamSource, schema_mistakes, suggestion
from agents.toml_lines import lines_of
from domain.errors import InvalidTeamFile, UnknownTeam
from domain.plans import Effect

MAX_BYTES = 256 * 1024
"""A larger file is not a team; the shipped ones have about 6 kB."""


def team_names() -> list[str]:
    """Return the names of the shipped teams, sorted."""
    return sorted(path.stem for path in _shipped().glob("*.toml"))


def load_team(name_or_path: str | Path, *, tools: Mapping[str, Effect] = TOOL_EFFECTS) -> Team:
    """Return a shipped team by name, or the team of a file.

    Args:
        name_or_path: A name of `team_names()`, or a path: a `Path`, or text with a slash or ending in `.toml`.
        tools: The tools that specialists may be given, with their effects.

    Raises:
        UnknownTeam: No team has this name, or there is no such file.
        InvalidTeamFile: The file has mistakes; each is told with its line.
    """
    path = _located(name_or_path)
    team, mistakes = _read_team(path, tools)
    if team is None:
        raise InvalidTeamFile(str(path), [str(mistake) for mistake in mistakes])
    return team


def check_team_file(path: str | Path, *, tools: Mapping[str, Effect] = TOOL_EFFECTS) -> list[Mistake]:
    """Return all mistakes of a team file in the order of its lines; raise `UnknownTeam` when there is no file."""
    return _read_team(_existing(Path(path)), tools)[1]


def _shipped() -> Path:
    return Path(next(iter(teams.__path__)))


def _located(name_or_path: str | Path) -> Path:
    if isinstance(name_or_path, Path) or "/" in name_or_path or name_or_path.endswith(".toml"):
        return _existing(Path(name_or_path))
    names = team_names()
    if name_or_path not in names:
        msg = f"there is no team {name_or_path!r:.80}{suggestion(name_or_path, names)}"
        raise UnknownTeam(msg)
    return _shipped() / f"{name_or_path}.toml"


def _existing(path: Path) -> Path:
    try:
        exists = path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        exists = False
    if not exists:
        msg = f"there is no team file {str(path)!r:.200}"
        raise UnknownTeam(msg)
    return path


def _read_team(path: Path, tools: Mapping[str, Effect]) -> tuple[Team | None, list[Mistake]]:
    """Return the team, or None and the mistakes that keep the file from being one."""
    source = _source(path)
    if isinstance(source, Mistake):
        return None, [source]
    source, missing = joined(source)
    mistakes = sorted({*missing, *schema_mistakes(source), *reference_mistakes(source, tools)})
    return (None if mistakes else Team.model_validate(source.data)), mistakes


def _source(path: Path) -> TeamSource | Mistake:
    text = _text(path)
    if isinstance(text, Mistake):
        return text
    try:
        return TeamSource(tomllib.loads(text), lines_of(text))
    except RecursionError:
        return Mistake(1, "arrays or tables are nested too deeply")
    except ValueError as error:  # TOMLDecodeError, and an integer beyond Python's limit of digits
        return _syntax_mistake(str(error), text)


def _text(path: Path) -> str | Mistake:
    if not path.is_file():
        return Mistake(1, "this is not a file")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Mistake(1, f"the file cannot be read: {error.strerror}")
    if len(content) > MAX_BYTES:
        return Mistake(1, f"the file has more than {MAX_BYTES // 1024} kB, which no team needs")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Mistake(content[: error.start].count(b"\n") + 1, "the file is not UTF-8 text")


_TOML_ERROR = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)


def _syntax_mistake(error: str, text: str) -> Mistake:
    match = _TOML_ERROR.fullmatch(error)
    if match is None:
        return Mistake(1, f"not valid TOML: {error}")
    if match["line"] is None:
        return Mistake(text.count("\n") + 1, f"not valid TOML: {match['what']} (the file ends here)")
    return Mistake(int(match["line"]), f"not valid TOML: {match['what']} (column {match['column']})")
