"""Prompts as Markdown files: declared variables, strict loading, strict rendering.

A file is front matter, a `# System` and a `# User` section. What stays the same from call to call stands in the system
section, so that a provider can cache it; what varies stands in the user section. `$name` is a variable, `$$` a dollar.

    ---
    name: critic
    version: 1
    variables: goal, draft
    ---
    # System
    ...
    # User
    $goal
"""

import re
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from typing import NamedTuple

from domain.errors import UserError


class InvalidPrompt(UserError):
    """A template, or the variables given to it, are wrong: a mistake of who wrote it."""

    code = "invalid_prompt"


class Rendered(NamedTuple):
    """The final text for the model."""

    system: str
    user: str
    template: str = ""
    """Name and version of the template that it was made from: `name@version`."""


@dataclass(frozen=True)
class Prompt:
    """A template with the variables it declares."""

    name: str
    version: int
    variables: frozenset[str]
    system: str
    user: str

    def render(self, **variables: str) -> Rendered:
        """Return the prompt with every variable filled in; a missing or an undeclared one raises `InvalidPrompt`."""
        self._match(set(variables), "given")
        system, user = (Template(text).substitute(variables) for text in (self.system, self.user))
        return Rendered(system, user, f"{self.name}@{self.version}")

    def _match(self, names: set[str], where: str) -> None:
        missing, unknown = sorted(self.variables - names), sorted(names - self.variables)
        if missing or unknown:
            faults = [f"{label} {', '.join(n)}" for label, n in (("missing", missing), ("undeclared", unknown)) if n]
            msg = f"prompt {self.name!r}: variables {where}: {'; '.join(faults)}"
            raise InvalidPrompt(msg)


@dataclass(frozen=True)
class Prompts:
    """Loads the prompts of a folder, each once."""

    folder: Traversable = field(default_factory=lambda: resources.files("prompts"))
    _loaded: dict[str, Prompt] = field(default_factory=dict, init=False, repr=False)

    def load(self, name: str) -> Prompt:
        """Return a prompt by its file's stem, or raise `InvalidPrompt`. Reads a file: keep it off the event loop."""
        if name not in self._loaded:
            file = self.folder / f"{name}.md"
            if not file.is_file():
                msg = f"there is no prompt {name!r} in {self.folder}"
                raise InvalidPrompt(msg)
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                msg = f"prompt {name!r} in {self.folder} cannot be read: {error}"
                raise InvalidPrompt(msg) from error
            self._loaded[name] = parse(text, name=name)
        return self._loaded[name]


_FILE = re.compile(r"---\n(?P<head>.*?)\n---\n+# System\n(?P<system>.*?)\n# User\n(?P<user>.*)", re.DOTALL)
_KEYS = {"name", "version", "variables"}


def parse(text: str, *, name: str) -> Prompt:
    """Return the prompt written in `text`, or raise `InvalidPrompt` naming the mistake."""
    match = _FILE.fullmatch(text)
    if match is None:
        msg = f"prompt {name!r} needs front matter, then a '# System' and a '# User' section"
        raise InvalidPrompt(msg)
    head = _front_matter(match["head"], name)
    names = frozenset(v.strip() for v in head["variables"].split(",") if v.strip())
    prompt = Prompt(name, int(head["version"]), names, match["system"].strip(), match["user"].strip())
    prompt._match(_used(prompt), "used in the text")
    return prompt


def _front_matter(text: str, name: str) -> dict[str, str]:
    head = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    if set(head) != _KEYS or head["name"] != name or not head["version"].isdigit():
        msg = f"the front matter of prompt {name!r} needs exactly: name (the file's), version (a number), variables"
        raise InvalidPrompt(msg)
    return head


def _used(prompt: Prompt) -> set[str]:
    templates = [Template(prompt.system), Template(prompt.user)]
    if not all(template.is_valid() for template in templates):
        msg = f"prompt {prompt.name!r} has a '$' that begins no variable; write '$$' for a dollar"
        raise InvalidPrompt(msg)
    return {name for template in templates for name in template.get_identifiers()}
