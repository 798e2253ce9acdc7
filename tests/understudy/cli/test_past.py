"""`understudy trace` and `understudy undo`."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
BRIEF = "Write a brief about wind power in Iowa"


@pytest.fixture
def thread(understudy: Invoke) -> str:
    """A run that has written a file."""
    result = understudy("run", BRIEF, "--data", ENERGY, "--out", "out", "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    return str(json.loads(result.stdout.splitlines()[0])["thread"])


def test_a_trace_shows_steps_effects_and_decisions(understudy: Invoke, thread: str) -> None:
    shown = understudy("trace", thread)
    assert shown.exit_code == 0, shown.stderr
    assert re.search(r"deliver  \w+  done, at [\d.]+ s, [\d.]+ s, confidence 0\.90  \(after result\)", shown.stdout)
    assert re.search(r"effect write_file  done  key [0-9a-f]{64}$", shown.stdout, re.MULTILINE)
    assert re.search(r"decided: deliver \(\w+\): approve", shown.stdout)


def test_a_trace_is_one_json_document(understudy: Invoke, thread: str) -> None:
    trace = json.loads(understudy("trace", thread, "--json").stdout)
    assert [effect["state"] for effect in trace["effects"]] == ["done"]
    assert trace["outcome"]["status"] == "done"


def test_an_unknown_run_has_no_trace(understudy: Invoke) -> None:
    result = understudy("trace", "nope")
    assert (result.exit_code, "no run 'nope'" in result.stderr) == (2, True)


def test_undo_takes_the_file_back_and_the_trace_says_so(understudy: Invoke, thread: str) -> None:
    [file] = Path("out").iterdir()
    result = understudy("undo", thread)
    assert (result.exit_code, result.stdout.split()[:2]) == (0, ["undone", "write_file"]), result.stderr
    assert not file.exists()
    assert "effect write_file  undone" in understudy("trace", thread).stdout


def test_undo_keeps_what_somebody_changed(understudy: Invoke, thread: str) -> None:
    [file] = Path("out").iterdir()
    file.write_text("mine now")
    result = understudy("undo", thread, "--json")
    assert result.exit_code == 1
    assert "was changed after it was written" in json.loads(result.stdout)["kept"][0]
    assert file.read_text() == "mine now"
