import json
from pathlib import Path

from tests.test_examples import ENERGY
from tests.understudy.cli.conftest import Invoke

GOAL = "Compare solar and wind in a brief"


def test_a_plan_is_shown_with_what_it_was_weighed_against_and_nothing_is_done(
    understudy: Invoke, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = understudy("plan", GOAL, "--data", str(ENERGY), "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert "analyse: Compute" in result.stdout
    assert result.stdout.count("Against the next best plan it trades") == 1
    assert "\nexpects   quality 0." in result.stdout
    assert "or 2" in result.stdout
    assert not out.exists()
    assert json.loads(understudy("memory", "list", "--json").stdout) == []


def test_a_plan_as_json_names_the_resource_of_each_step(understudy: Invoke, tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text(
        """name = "small"
description = "looks things up"
[[specialists]]
name = "look"
description = "looks things up"
tools = ["search_documents", "calculate"]
[[templates]]
name = "look"
kinds = ["search", "analysis"]
[[templates.steps]]
id = "sum"
agent = "look"
task = "Add up: {goal}"
tool = "calculate"
args = { expression = "1 + 1" }
[[resources]]
name = "abacus"
kind = "device"
uses = "calculate"
serves = ["calculate"]
placement = "local"
""",
        encoding="utf-8",
    )
    result = understudy("plan", "Analyse how much one and one is", "--team", str(team), "--json")
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert [(s["step"], s["resource"], s["refused"]) for s in shown["steps"]] == [("sum", "abacus", {})]
    ran = understudy("run", "Analyse how much one and one is", "--team", str(team), "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [e["resource"] for e in events if e.get("type") == "resource_bound"] == ["abacus"]


def test_a_greeting_needs_no_plan(understudy: Invoke) -> None:
    assert "nothing would be planned" in understudy("plan", "hello there").stdout
