from importlib import resources
from pathlib import Path

import pytest

from prompts.loader import InvalidPrompt, Prompts, Rendered, parse

TEXT = """---
name: greeter
version: 2
variables: who, day
---
# System
You greet. {"costs": "$$5"}

# User
It is $day. Greet $who.
"""
HEAD = "---\nname: greeter\nversion: 1\nvariables: {}\n---\n# System\nGreet.\n# User\n{}\n"


def test_render() -> None:
    rendered = parse(TEXT, name="greeter").render(who="Ada", day="Monday")
    assert rendered == Rendered('You greet. {"costs": "$5"}', "It is Monday. Greet Ada.", "greeter@2")


def test_values_are_not_read_as_templates() -> None:
    rendered = parse(TEXT, name="greeter").render(who="$day $$ ${x}", day="Monday")
    assert rendered.user == "It is Monday. Greet $day $$ ${x}."


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"who": "Ada"}, "variables given: missing day"),
        ({"who": "Ada", "day": "Monday", "mood": "good"}, "variables given: undeclared mood"),
        ({"whom": "Ada", "day": "Monday"}, "missing who; undeclared whom"),
    ],
    ids=["missing", "undeclared", "misspelt"],
)
def test_render_needs_exactly_the_declared_variables(variables: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidPrompt, match=says):
        parse(TEXT, name="greeter").render(**variables)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("You greet.", "needs front matter"),
        (TEXT.replace("# User", "# Users"), "'# User' section"),
        (TEXT.replace("version: 2", "version: two"), "version \\(a number\\)"),
        (TEXT.replace("version: 2\n", ""), "needs exactly"),
        (TEXT.replace("name: greeter", "name: other"), "name \\(the file's\\)"),
        (TEXT.replace("name: greeter", "name: greeter\nmodel: x"), "needs exactly"),
        (HEAD.format("who", "Greet."), "used in the text: missing who"),
        (HEAD.format("", "Greet $who."), "used in the text: undeclared who"),
        (HEAD.format("", "It costs $5."), "begins no variable"),
    ],
    ids=["bare", "section", "version", "no-version", "name", "unknown-key", "unused", "undeclared", "dollar"],
)
def test_mistakes_are_named(text: str, says: str) -> None:
    with pytest.raises(InvalidPrompt, match=says):
        parse(text, name="greeter")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidPrompt, match="no prompt 'greeter'"):
        Prompts(tmp_path).load("greeter")


def test_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "greeter.md"
    file.write_text(TEXT)
    prompts = Prompts(tmp_path)
    first = prompts.load("greeter")
    file.unlink()
    assert prompts.load("greeter") is first


TIMELESS = {"explainer", "summariser"}
"""They speak of what was, in words that do not depend on the day."""


@pytest.mark.parametrize(
    "name", sorted(f.name.removesuffix(".md") for f in resources.files("prompts").iterdir() if f.name.endswith(".md"))
)
def test_shipped_prompts_load_and_carry_the_rule_on_quoted_material(name: str) -> None:
    prompt = Prompts().load(name)
    assert "$data_rule" in prompt.system
    assert ("$today" in prompt.user) == (name not in TIMELESS)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "critic.md").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidPrompt, match="prompt 'critic' in .* cannot be read"):
        Prompts(tmp_path).load("critic")
