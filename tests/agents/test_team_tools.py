from pathlib import Path

import pytest

from agents.team_files import check_team_file, load_team

HEAD = 'name = "t"\ndescription = "d"\n[[specialists]]\nname = "one"\ndescription = "d"\ntools = ["look"]\n[[tools]]\n'
LOOK = HEAD + 'name = "look"\nfrom = "function"\ntarget = "shop.tools:look"\n'  # tools from line 7, name in line 8
MCP = HEAD + 'name = "look"\nfrom = "mcp"\ntarget = "https://example.org/mcp"\n'


def checked(tmp_path: Path, content: str) -> list[str]:
    path = tmp_path / "team.toml"
    path.write_text(content)
    return [str(mistake) for mistake in check_team_file(path)]


def test_a_declared_tool_can_be_given_to_a_specialist(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(LOOK + 'effect = "read"\nlevel = "LOW"\nsecrets = { }\n')
    (tool,) = load_team(path).tools
    assert (tool.name, tool.origin, tool.effect, tool.level) == ("look", "function", "read", "LOW")


def test_what_is_not_declared_counts_as_writing(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(MCP)
    assert load_team(path).tools[0].effect == "write"


MISTAKES = {
    "unknown key": (LOOK + 'efect = "read"', "line 11: unknown key 'efect' in tool 'look' — did you mean 'effect'?"),
    "unknown key from": (
        LOOK.replace("from =", "form ="),
        "line 9: unknown key 'form' in tool 'look' — did you mean 'from'?",
    ),
    "unknown origin": (
        LOOK.replace('"function"', '"mpc"'),
        "line 9: tool 'look': 'mpc' is not a value of 'from' — did you mean 'mcp'?",
    ),
    "unknown level": (
        LOOK + 'level = "HIGHEST"',
        "line 11: tool 'look': 'HIGHEST' is not a value of 'level' — did you mean 'HIGH'?",
    ),
    "bad function": (
        LOOK.replace("shop.tools:look", "shop.tools.look"),
        "line 7: tool 'look': 'target' is 'shop.tools.look'; write 'package.module:function'",
    ),
    "bad command": (
        MCP.replace("https://example.org/mcp", "python 'x"),
        "line 7: tool 'look': 'target' is not a command: no closing quotation",
    ),
    "file without hosts": (
        MCP.replace('"mcp"', '"openapi"').replace("https://example.org/mcp", "api.yaml"),
        "line 7: tool 'look': a document in a file needs 'allow_hosts': which hosts may be called",
    ),
    "reading tool with undo": (
        LOOK + 'effect = "read"\nundo = "a:b"',
        "line 7: tool 'look': 'undo' is for tools with the effect 'write'",
    ),
    "bad undo": (LOOK + 'undo = "a"', "line 11: tool 'look': 'a' is not written as 'package.module:function'"),
    "built-in name": (
        LOOK.replace('"look"', '"write_file"'),
        "line 8: tool 'write_file' has the name of a built-in tool",
    ),
    "unknown alternative": (
        LOOK + 'effect = "read"\nalternatives = ["calculat"]',
        "line 12: tool 'look' has the unknown alternative 'calculat' — did you mean 'calculate'?",
    ),
    "writing tool with an alternative": (
        LOOK + 'alternatives = ["calculate"]',
        "line 11: tool 'look': a tool that writes neither has alternatives nor is one",
    ),
    "the same twice": (
        LOOK + '[[tools]]\nname = "look"\nfrom = "function"\ntarget = "a:b"',
        "line 12: tool 'look' is already there in line 8",
    ),
    "unknown tool": (
        LOOK.replace('tools = ["look"]', 'tools = ["lok"]'),
        "line 6: specialist 'one' has unknown tool 'lok' — did you mean 'look'?",
    ),
}


@pytest.mark.parametrize(("content", "message"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    assert message in checked(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        MCP + 'secrets = { Authorization = "sk-live-1234567890" }',
        MCP.replace("https://", "https://ann:sk-live-1234567890@"),
    ],
    ids=["secret", "password"],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    (mistake,) = checked(tmp_path, content)
    assert "secrets" in mistake
    assert "sk-live" not in mistake
