"""Text from models, documents and files, made safe and short enough for a terminal."""

import json
import re
from collections.abc import Mapping
from typing import Any

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC and the other strings
    r"|\x1b[ -/]*[0-Z\\^-~]"  # short sequences
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, text-direction overrides (they can disguise what is approved) and lone surrogates."""


def examples(*commands: str) -> str:
    """Return the last part of a command's help; the first character keeps the lines as they are."""
    return "\b\nExamples:\n" + "".join(f"  understudy {command}\n" for command in commands)


def clean(text: str) -> str:
    r"""Return the text without anything that a terminal would obey; only `\n` and `\t` stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def one_line(text: str, width: int = 100) -> str:
    """Return the cleaned text on one line of at most `width` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def excerpt(text: str, lines: int = 6, width: int = 160) -> str:
    """Return the first lines of the cleaned text, saying how many there are when it was cut."""
    every = clean(text).splitlines()
    shown = [line if len(line) <= width else line[: width - 1] + "…" for line in every[:lines]]
    if len(every) > lines or any(len(line) > width for line in every):
        shown.append(f"… ({len(every)} line{'s' * (len(every) != 1)}, {len(text):,} characters)")
    return "\n".join(shown)


def shown_value(value: Any) -> str:
    """Return an argument as a person reads and edits it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def call(name: str, args: Mapping[str, Any], width: int = 100) -> str:
    """Return a call on one line, e.g. `search(query="hydro")`, cut to `width` characters."""
    inner = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False, default=str)}" for key, value in args.items())
    return one_line(f"{name}({inner})", width)
