import json
from pathlib import Path

import pytest

from domain.approvals import ActionRequest
from domain.facts import Facts
from tests.understudy.cli.conftest import Invoke
from understudy.cli.phrases import request_text

MANY = {
    "name": "many",
    "description": "mass mail",
    "condition": "ON_VALUE",
    "action": "BLOCK",
    "when": [{"measure": "recipients", "op": "gt", "value": 50}],
}
TOML = """
[[checkpoints]]
name = "many"
condition = "ON_VALUE"
action = "ESCALATE"
when = [{ measure = "recipients", op = "gt", value = 5 }]
escalation = [{ to = ["boss"] }]

[[checkpoints]]
name = "searched"
condition = "AFTER_STAGE"
stage = "search"
"""


def listed(understudy: Invoke) -> dict[str, str]:
    return {each["name"]: each["of"] for each in json.loads(understudy("checkpoints", "list", "--json").stdout)}


def test_a_workspace_adds_lists_and_removes_checkpoints(understudy: Invoke) -> None:
    assert listed(understudy) == {"before_writing": "team"}
    added = understudy("checkpoints", "add", "-", input=json.dumps(MANY))
    assert (added.exit_code, added.stdout) == (0, "many is in force\n")
    assert listed(understudy) == {"before_writing": "team", "many": "workspace"}
    table = understudy("checkpoints", "list").stdout
    assert "recipients > 50" in table
    assert understudy("checkpoints", "remove", "many").stdout == "many is removed\n"
    assert listed(understudy) == {"before_writing": "team"}


def test_several_come_from_a_toml_file_and_replace_those_of_the_same_name(understudy: Invoke, tmp_path: Path) -> None:
    understudy("checkpoints", "add", "-", input=json.dumps(MANY))
    file = tmp_path / "checkpoints.toml"
    file.write_text(TOML)
    assert understudy("checkpoints", "add", str(file)).exit_code == 0
    [shown] = json.loads(understudy("checkpoints", "show", "many", "--json").stdout)
    assert (shown["action"], shown["escalation"][0]["to"]) == ("ESCALATE", ["boss"])
    assert "escalation" in understudy("checkpoints", "show", "many").stdout


def test_of_one_name_both_stand(understudy: Invoke) -> None:
    own = {"name": "before_writing", "condition": "ON_EFFECT", "action": "BLOCK"}
    understudy("checkpoints", "add", "-", "--every-team", input=json.dumps(own))
    shown = json.loads(understudy("checkpoints", "show", "before_writing", "--json").stdout)
    assert [(each["of"], each["action"]) for each in shown] == [("team", "REQUEST_APPROVAL"), ("workspace", "BLOCK")]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "neither JSON nor TOML"),
        ("name = ", "neither JSON nor TOML"),
        ("[1]", "this is no checkpoint"),
        ("", "this is no checkpoint"),
        ("checkpoints = 3", "holds no checkpoints"),
        ('{"name": "c", "condition": "ON_VALUE"}', "ON_VALUE needs 'when'"),
        ('{"name": "c", "condition": "ON_EFFECT", "action": "ESCALATE"}', "escalates to nobody"),
        ('{"name": "c", "condition": "ON_EFFECT", "quorum": 3, "approvers": ["a"]}', "only 1 may answer"),
        ('{"name": "c", "condition": "BEFORE_EXECUTION", "stage": "nobody"}', "has no 'nobody' to stand at"),
        ("[" * 100_000, "neither JSON nor TOML"),
    ],
)
def test_what_is_no_checkpoint_is_explained(understudy: Invoke, given: str, says: str) -> None:
    result = understudy("checkpoints", "add", "-", input=given)
    assert result.exit_code == 2
    assert says in result.stderr
    assert listed(understudy) == {"before_writing": "team"}


def test_a_file_that_is_not_there_and_a_name_that_nobody_has(understudy: Invoke) -> None:
    assert "cannot be read" in understudy("checkpoints", "add", "nowhere.json").stderr
    assert "it has none" in understudy("checkpoints", "remove", "many").stderr
    assert "there is before_writing" in understudy("checkpoints", "show", "many").stderr


def test_a_question_shows_what_is_known() -> None:
    facts = Facts(
        to=["a@b.example"], data=["what 'read' gave"], privacy="personal", cost={"dollars": 0.5}, undo="final",
        rationale="short way", scores={"overall": 0.9}, issues=["say less"], past=["yesterday ada approved send"],
    )  # fmt: skip
    request = ActionRequest(id="s", name="send", args={"to": "a@b.example"}, description="writer sends", facts=facts)
    assert request_text(request).plain.splitlines() == [
        "decide    send",
        "          writer sends",
        "          to: a@b.example",
        "          with: what 'read' gave; personal data",
        "          expected: 0.5 dollars",
        "          undo: not possible",
        "          rationale: short way",
        "          critic: overall 0.90; say less",
        "          earlier: yesterday ada approved send",
        "          to: a@b.example",
    ]
