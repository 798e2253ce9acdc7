from pathlib import Path

import pytest

from domain.errors import UserError
from evals.playing import Version
from evals.versions import Commit, InvalidVersion, Results, Tree, changed, parsed

SETTINGS = ("reuse_above", "planning_weights", "selection_policy")


def test_the_present_tree_is_named_current() -> None:
    spec = parsed("current", SETTINGS)
    assert spec == Tree(Version())
    assert not changed(spec)
    assert Tree(Version()).mode(tolerant=False) == "strict"


def test_a_commit_and_a_file_of_results_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a=b.json").write_text("{}")
    assert parsed("commit:HEAD~1", SETTINGS) == Commit("HEAD~1")
    assert parsed(str(tmp_path / "a=b.json"), SETTINGS) == Results(tmp_path / "a=b.json")


def test_parts_and_settings_are_changed_together(tmp_path: Path) -> None:
    text = f"team=documents,prompts={tmp_path},reuse_above=0.9,planning_weights.cost=2,selection_policy=greedy"
    spec = parsed(text, SETTINGS)
    settings = {"reuse_above": 0.9, "planning_weights": {"cost": 2}, "selection_policy": "greedy"}
    assert spec == Tree(Version(team="documents", prompts=tmp_path, settings=settings))
    assert changed(spec)


def test_commas_within_a_value_part_nothing() -> None:
    spec = parsed('planning_weights={"cost": 2, "quality": 1},reuse_above=1', SETTINGS)
    assert spec == Tree(Version(settings={"planning_weights": {"cost": 2, "quality": 1}, "reuse_above": 1}))


def test_a_named_model_is_asked() -> None:
    spec = parsed("model=openai:small", SETTINGS)
    assert isinstance(spec, Tree)
    assert spec.mode(tolerant=True) == "live"
    assert Tree(Version(settings={"models": {"planner": "openai:small"}})).mode(tolerant=True) == "live"
    assert Tree(Version(settings={"reuse_above": 0.9})).mode(tolerant=True) == "tolerant"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("curent", "is no file"),
        ("before.json", "is no file"),
        ("x" * 5000, "is no file"),
        ("reuse_abov=" + "[" * 5000, "did you mean 'reuse_above'"),
        ("commit:", "does not name a commit"),
        ("commit:--all", "does not name a commit"),
        ("reuse_abov=0.9", "did you mean 'reuse_above'"),
        ("reuse_above=", "KEY=VALUE"),
        ("reuse_above=1,reuse_above=2", "KEY=VALUE"),
        ("reuse_above=0.9,", "KEY=VALUE"),
        ("prompts=no-such-folder", "no folder of prompts"),
        ("model=gpt", "provider:name"),
        ("team=documets", "documents"),
        ("planning_weights=1,planning_weights.cost=2", "as a whole and in part"),
    ],
)
def test_what_is_mistyped_is_named(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        parsed(text, SETTINGS)
    assert isinstance(caught.value, InvalidVersion) or text.startswith("team")
