from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Invoke = Callable[..., Result]
BROKEN = """\
name = "mine"
description = "My team."
[[specialists]]
name = "writer"
descripton = "Writes."
"""


def test_the_shipped_teams_are_listed(understudy: Invoke) -> None:
    result = understudy("team", "list")
    assert result.exit_code == 0
    names = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert names[0] == "team"
    assert {"documents", "marketing"} <= set(names[1:])


def test_a_team_is_shown_with_its_checkpoints(understudy: Invoke) -> None:
    result = understudy("team", "show", "marketing")
    assert result.exit_code == 0
    assert "pre_publish\tON_EFFECT\tquality > 0.9\t" in result.stdout
    assert "min_quality_score\t0.8\n" in result.stdout


def test_an_unknown_team_ends_with_2(understudy: Invoke) -> None:
    result = understudy("team", "show", "marketng")
    assert result.exit_code == 2
    assert result.stderr.startswith("understudy: there is no team 'marketng'")


def test_shipped_teams_have_no_mistakes(understudy: Invoke) -> None:
    result = understudy("team", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "marketing: ok (6 specialists, 2 checkpoints)\n" in result.stdout


def test_every_mistake_is_told_with_its_line(understudy: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BROKEN)
    result = understudy("team", "check", "documents", str(path))
    assert result.exit_code == 2
    assert result.stdout.startswith("documents: ok")
    assert result.stderr.startswith(f"{path} has 2 mistake(s):\n")
    assert "line 5: unknown key 'descripton'" in result.stderr
