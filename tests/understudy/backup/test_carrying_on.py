"""What was under way or remembered when a backup was made goes on from it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.benchmarks.crash_world import expected
from tests.forks import Forks
from tests.understudy.durable.children import staged
from understudy.backup import back_up
from understudy.backup_restore import restore
from understudy.cli.main import app


def let_fences_lapse(home: Path) -> None:
    """Let so much time pass that the process which was at work counts as gone."""
    with closing(sqlite3.connect(home / "runs.sqlite", isolation_level=None)) as file:
        file.execute("UPDATE fences SET until = 1")


def test_a_run_that_was_in_the_middle_goes_on_and_nothing_happens_twice(forks: Forks, tmp_path: Path) -> None:
    with staged(forks, tmp_path) as stage:
        assert stage.child("start", "chain 1").ended() == 0
        assert stage.child("approve", "chain1").ended() == 0
        running = stage.child("approve", "chain1", stop_at="end")
        running.until("halts")
        made = back_up(tmp_path / "a", tmp_path / "backup")
        running.end()
        done = restore(made.path, tmp_path / "b")
        assert done.under_way == 1
        let_fences_lapse(tmp_path / "b")
        carried_on = stage.child("once", home="b")
        assert carried_on.ended() == 0
        assert any(line.startswith("run_finished") for line in carried_on.heard), carried_on.heard
        assert stage.world.happened() == expected("chain", "chain1")


def test_a_question_that_was_open_is_open_again(forks: Forks, tmp_path: Path) -> None:
    with staged(forks, tmp_path) as stage:
        assert stage.child("start", "chain 1").ended() == 0
        restore(back_up(tmp_path / "a", tmp_path / "backup").path, tmp_path / "b")
        for _ in "ab":
            assert stage.child("approve", "chain1", home="b").ended() == 0
        assert stage.world.happened() == expected("chain", "chain1")


def test_what_was_remembered_is_recalled_without_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def understudy(*args: str) -> str:
        done = CliRunner().invoke(app, args)
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "a"))
    understudy("run", "Explain photosynthesis to a child", "--thread", "talk")
    told = json.loads(understudy("backup", str(tmp_path / "backup"), "--json"))
    assert told["left_out"] == ["chroma"]
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "b"))
    assert json.loads(understudy("restore", str(tmp_path / "backup"), "--json"))["under_way"] == 0
    routed = json.loads(understudy("route", "Explain photosynthesis to a child", "--json"))
    assert [each["goal"] for each in routed["neighbours"]] == ["Explain photosynthesis to a child"]
    understudy("run", "Explain gravity to a child", "--thread", "talk")
