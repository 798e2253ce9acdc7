"""Suites and tasks by name."""

from pathlib import Path

import pytest

from evals.suites import UnknownRecording, UnknownSuite, chosen, found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for place in ("home/tasks/night", "home/tasks/_drafts", "audio/tasks/loud", "audio/tasks/quiet", "audio/data"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "shared.py").touch()
    return tmp_path


def test_suites_come_by_name_with_their_tasks(root: Path) -> None:
    every = found(root=root)
    assert [(suite.name, [task.name for task in suite.tasks]) for suite in every] == [
        ("audio", ["loud", "quiet"]), ("home", ["night"]),
    ]  # fmt: skip
    assert [suite.name for suite in found(["home", "home"], root)] == ["home"]
    assert [(suite.name, len(suite.tasks)) for suite in chosen(every, ["quiet"])] == [("audio", 1)]


def test_what_is_not_there_is_named_with_what_is(root: Path) -> None:
    with pytest.raises(UnknownSuite, match=r"no suite 'marketing' in .*; there are: audio, home"):
        found(["marketing", "home"], root)
    with pytest.raises(UnknownSuite, match="there are no suites"):
        found(root=root / "audio")
    with pytest.raises(UnknownRecording, match=r"no task 'nigth' in audio, home; did you mean night\?"):
        chosen(found(root=root), ["nigth"])
    (root / "void" / "tasks").mkdir(parents=True)
    with pytest.raises(UnknownRecording, match="there are no tasks in void"):
        found(["void"], root)


def test_the_project_has_suites() -> None:
    assert {"documents", "marketing"} <= {suite.name for suite in found()}
