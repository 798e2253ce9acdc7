"""The files around the code: locks, Makefile, settings example."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from understudy.settings import Settings

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def pins(lock: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", (ROOT / lock).read_text(), re.M):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def unmet(requirements: list[str], lock: str) -> list[str]:
    locked = pins(lock)
    wanted = [requirement for text in requirements if (requirement := Requirement(text)).name != "understudy"]
    return [str(r) for r in wanted if not any(v in r.specifier for v in locked.get(canonicalize_name(r.name), []))]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str) -> None:
    assert re.findall(r"^\s*-(?!-hash=).*|\S+://\S*|\S* @ \S*", (ROOT / lock).read_text(), re.M) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_its_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.M)[1:]
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_what_the_project_needs() -> None:
    assert unmet([*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]], "requirements.lock") == []


def test_the_development_lock_holds_the_tools_too() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    tools = [*extras["dev"], *extras["studio"], *extras["examples"], *extras["plots"]]
    assert unmet(tools, "requirements-dev.lock") == []


def test_both_locks_pin_the_same_versions() -> None:
    development = pins("requirements-dev.lock")
    assert {
        name: versions for name, versions in pins("requirements.lock").items() if development.get(name) != versions
    } == {}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment that counts as installed, whose `understudy` prints its arguments as JSON."""
    program = tmp_path / "bin" / "understudy"
    program.parent.mkdir()
    program.write_text("#!/usr/bin/env python3\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o755)
    for name in ("bin/pip", ".ready"):
        (tmp_path / name).touch()
    return tmp_path


def chat(environment: Path, *variables: str) -> list[str]:
    command = ["make", "--no-print-directory", "chat", f"VENV={environment}", *variables]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True
    )
    words: list[str] = json.loads(done.stdout)
    return words


GOALS = {
    "plain": "Compare 2019 and 2020",
    "quotes": 'What does "base load" mean, and what\'s `peak`?',
    "dollars": "What does $5 buy, $(HOME) or $$?",
    "backslash": "a\\b \\n",
    "option": "--yes",
    "two lines": "one\ntwo",
    "hash": "issue #3; rm -rf *",
}


@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS.keys())
def test_make_chat_hands_a_goal_over_as_it_is(installed: Path, goal: str) -> None:
    assert chat(installed, f"GOAL={goal}") == ["run", "--data", "examples/energy", "--out", "out", "--", goal]


def test_make_chat_without_a_goal_opens_a_session(installed: Path) -> None:
    assert chat(installed, "DATA=my data") == ["chat", "--data", "my data", "--out", "out"]


def test_make_alone_explains_the_targets() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = [
        "help",
        "setup",
        "chat",
        "serve",
        "cluster",
        "test",
        "eval",
        "lint",
        "typecheck",
        "check",
        "studio",
        "lock",
    ]
    assert re.findall(r"make (\w+)", shown) == targets


def test_the_example_names_every_setting() -> None:
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    settings = {
        str(field.validation_alias or f"UNDERSTUDY_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    assert settings - named == set()
    assert {name for name in named - settings if name.startswith("UNDERSTUDY_")} == set()


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"\n## {PROJECT['project']['version']}\n" in (ROOT / "CHANGELOG.md").read_text()
