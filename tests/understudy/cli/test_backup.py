"""`understudy backup`, `restore` and `migrate` at the command line."""

import json
import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from tests.understudy.cli.conftest import Invoke
from understudy.durable.database import TABLES
from understudy.migrations.steps import FIRST, LATEST, STEPS


def test_what_is_on_servers_is_not_backed_up_here(understudy: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", "redis://:pass@127.0.0.1:1/0")
    said = understudy("backup", "b")
    assert said.exit_code == 2
    assert "redis_url" in said.stderr and "operations.md" in said.stderr and "pass@" not in said.stderr
    assert not Path("b").exists()


def test_a_person_is_told_what_was_backed_up_and_restored(understudy: Invoke, home: Path) -> None:
    understudy("migrate")
    (home / "chroma").mkdir()
    said = understudy("backup", "b")
    assert said.exit_code == 0 and "1 files" in said.stdout and "left out: chroma" in said.stdout
    again = understudy("backup", "b")
    assert again.exit_code == 2 and "exists already" in again.stderr
    beside = understudy("restore", "b")
    assert beside.exit_code == 2 and "not empty" in beside.stderr
    restored = understudy("restore", "b", "--into", "new")
    assert restored.exit_code == 0 and "holds 1 files" in restored.stdout
    assert (Path("new") / "runs.sqlite").is_file()


def test_a_folder_for_the_backup_that_is_not_there_is_refused(understudy: Invoke) -> None:
    said = understudy("backup", "nowhere/b")
    assert said.exit_code == 2 and "there is no folder" in said.stderr


def test_the_database_is_led_back_and_forth(understudy: Invoke) -> None:
    assert understudy("migrate").stdout == f"schema version {LATEST}, as before\n"
    back = understudy("migrate", "--to", str(FIRST))
    assert back.exit_code == 0 and f"undone: {STEPS[0].title}" in back.stdout
    check = understudy("migrate", "--check")
    assert check.exit_code == 1 and f"has schema version {FIRST}, this release knows {LATEST}" in check.stdout
    assert json.loads(understudy("migrate", "--json").stdout)["after"] == LATEST
    assert understudy("migrate", "--check").exit_code == 0


def test_a_version_that_this_release_does_not_know_is_refused(understudy: Invoke) -> None:
    said = understudy("migrate", "--to", "99")
    assert said.exit_code == 2 and "version 99 is not known" in said.stderr
    assert json.loads(understudy("migrate", "--check", "--json").stdout)["version"] == LATEST


def test_migrating_creates_the_tables_of_everything_that_serves(understudy: Invoke, home: Path) -> None:
    assert understudy("migrate").exit_code == 0
    import_module("understudy.service.app")
    with closing(sqlite3.connect(home / "runs.sqlite")) as file:
        there = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {table.name for table in TABLES.sorted_tables} <= there
