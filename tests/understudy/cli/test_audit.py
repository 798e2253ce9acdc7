"""`understudy audit`."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
RULE = '{"id": "no-mail", "kind": "forbidden_tool", "tools": ["send_mail"], "why": "of all things"}'


@pytest.fixture(autouse=True)
def _person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_USER", "eve")


@pytest.fixture
def noted(understudy: Invoke) -> None:
    """A rule that was proposed and accepted."""
    assert understudy("memory", "constraints", "propose", "-", input=RULE).exit_code == 0
    assert understudy("memory", "constraints", "accept", "no-mail").exit_code == 0


def entries(understudy: Invoke, *options: str) -> list[dict[str, object]]:
    result = understudy("audit", "show", "--json", *options)
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("noted")
def test_a_rules_moves_are_shown_newest_first(understudy: Invoke) -> None:
    assert [(e["seq"], e["kind"], e["why"]) for e in entries(understudy)] == [
        (2, "constraint", "person accepted the rule"),
        (1, "constraint", "person proposed the rule"),
    ]
    lines = understudy("audit", "show").stdout.splitlines()
    assert re.fullmatch(r"2\t[\d-]+ [\d:]+\teve\tconstraint accepted no-mail\tperson accepted the rule\t", lines[1])


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--kind", "constraint"], 2),
        (["--kind", "effect"], 0),
        (["--who", "eve"], 2),
        (["--who", "ann"], 0),
        (["--since", "1h"], 2),
        (["--since", "2999-01-01"], 0),
        (["--run", "r"], 0),
        (["--limit", "1"], 1),
    ],
    ids=str,
)
def test_entries_are_chosen(understudy: Invoke, options: list[str], count: int) -> None:
    assert len(entries(understudy, *options)) == count


@pytest.mark.parametrize("options", [["--since", "soon"], ["--kind", "gossip"]], ids=" ".join)
def test_a_filter_that_means_nothing_is_told(understudy: Invoke, options: list[str]) -> None:
    result = understudy("audit", "show", *options)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.usefixtures("noted")
def test_an_audit_is_verified_against_what_was_kept_elsewhere(understudy: Invoke) -> None:
    head = understudy("audit", "show", "--head").stdout.strip()
    assert understudy("audit", "verify", "--against", head).exit_code == 0
    other = understudy("audit", "verify", "--against", f"7:{'a' * 64}")
    assert (other.exit_code, "its end is gone" in other.stderr) == (1, True)
    assert understudy("audit", "verify", "--against", "seven").exit_code == 2


@pytest.mark.usefixtures("noted")
def test_an_export_is_verified_from_its_file(understudy: Invoke) -> None:
    assert understudy("audit", "export", "audit.jsonl").exit_code == 0
    good = understudy("audit", "verify", "audit.jsonl", "--json")
    assert (good.exit_code, json.loads(good.stdout)["entries"]) == (0, 3)
    assert entries(understudy)[0]["kind"] == "export"
    text = Path("audit.jsonl").read_text()
    Path("audit.jsonl").write_text(text.replace("accepted", "acceptex", 1))
    bad = understudy("audit", "verify", "audit.jsonl")
    assert (bad.exit_code, "entry 2 is not what was noted" in bad.stderr) == (1, True)
    assert understudy("audit", "export", "audit.jsonl").exit_code == 2
    assert understudy("audit", "export").stdout.count("\n") == 5


@pytest.mark.usefixtures("noted")
def test_only_full_segments_are_dropped_and_only_of_a_sound_export(understudy: Invoke) -> None:
    understudy("audit", "export", "audit.jsonl")
    result = understudy("audit", "drop", "audit.jsonl")
    assert (result.exit_code, result.stdout) == (0, "nothing was dropped: no segment is full\n")
    Path("audit.jsonl").write_text("{}\n")
    assert understudy("audit", "drop", "audit.jsonl").exit_code == 2


def test_exports_and_forgetting_are_noted_by_id(understudy: Invoke, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.md").write_text("# Wind\n\nWind power grew in Iowa.\n")
    goal = "What grew in Iowa in the year of the canary?"
    run = understudy("run", goal, "--data", "data", "--yes", "--json")
    assert run.exit_code == 0, run.stderr
    thread = json.loads(run.stdout.splitlines()[0])["thread"]
    understudy("trace", thread, "--json")
    understudy("memory", "export", "tasks.jsonl")
    [task] = json.loads(understudy("memory", "list", "--json").stdout)
    assert understudy("memory", "forget", task["id"], "--yes").exit_code == 0
    told = [(e["kind"], e["why"]) for e in entries(understudy)]
    assert {("export", "trace exported"), ("export", "tasks exported"), ("forgotten", "task forgotten")} <= set(told)
    assert ("forgotten", "conversation forgotten") in told
    assert "canary" not in json.dumps(entries(understudy))
