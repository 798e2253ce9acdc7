from pathlib import Path

import pytest

from agents.team_files import check_team_file, load_team
from domain.errors import InvalidTeamFile

TEAM = """name = "t"
description = "d"
[[tools]]
name = "send"
from = "function"
target = "post:send"
[[tools]]
name = "file_it"
from = "function"
target = "post:file_it"
undo = "post:unfile"
[[specialists]]
name = "reader"
description = "d"
[[specialists]]
name = "sender"
description = "d"
tools = ["send", "file_it"]
[[specialists]]
name = "keeper"
description = "d"
tools = ["file_it", "write_file"]
[[checkpoints]]
name = "c"
"""
FIRST = TEAM.count("\n") + 1
"""Line of the first key that a case adds."""
NO_KEY = -2
"""The line where the checkpoint begins."""


def mistakes(tmp_path: Path, checkpoint: str) -> list[str]:
    path = tmp_path / "team.toml"
    path.write_text(TEAM + checkpoint)
    return [str(mistake).partition(": ")[2] for mistake in check_team_file(path)]


def lines(tmp_path: Path, checkpoint: str) -> list[int]:
    path = tmp_path / "team.toml"
    path.write_text(TEAM + checkpoint)
    return [mistake.line - FIRST for mistake in check_team_file(path)]


@pytest.mark.parametrize(
    ("checkpoint", "line", "says"),
    [
        ('condition = "ON_VALUE"\nwhen = [{ measure = "recipents", op = "gt", value = 1 }]', 1, "mean 'recipients'?"),
        ('condition = "ON_VALUE"\nwhen = [{ measure = "tool", op = "gt", value = "send" }]', 1, "cannot be held"),
        ('condition = "ON_VALUE"\nwhen = [{ measure = "quality", op = "gt", value = 7 }]', 1, "a number from 0 to 1"),
        ('condition = "ON_VALUE"\nwhen = [{ measure = "tool", op = "eq", value = "sned" }]', 1, "mean 'send'?"),
        ('condition = "ON_VALUE"\nwhen = [{ measure = "agent", op = "in", value = ["x"] }]', 1, "no agent 'x'"),
        ('condition = "ON_VALUE"', NO_KEY, "ON_VALUE needs 'when'"),
        ('condition = "ON_VALUE"\nstage = "plna"\nwhen = [{ measure = "cost", op = "gt", value = 1 }]', 1, "mean 'pl"),
        ('condition = "ON_VALUE"\nstage = "plan"\nwhen = [{ measure = "tool", op = "eq", value = "send" }]', 2,
         "'tool' cannot be measured where it stands (at the plan)"),
        ('condition = "BEFORE_EXECUTION"\nauto_approve_if = { quality_above = 0.5 }', 1, "cannot be evaluated"),
        ('condition = "BEFORE_EXECUTION"\nstage = "readr"', 1, "mean 'reader'?"),
        ('condition = "ON_EFFECT"\naction = "ESCALATE"', 1, "escalates to nobody"),
        ('condition = "ON_EFFECT"\non_timeout = "escalate"', 1, "escalates to nobody"),
        ('condition = "ON_EFFECT"\napprovers = ["ada", "ada"]\nquorum = 2', 2, "2 people must approve, and only 1 may"),
        ('condition = "ON_EFFECT"\naction = "ESCALATE"\nescalation = [{ to = ["ada"] }]\nquorum = 2', 3, "only 1 may"),
        ('condition = "ON_EFFECT"\naction = "BLOCK"\napprovers = ["ada"]', 2, "BLOCK asks nobody"),
        ('condition = "ON_EFFECT"\naction = "NOTIFY"\nauto_approve_if = { cost_below = 1 }', 2, "NOTIFY asks nobody"),
        ('condition = "ON_EFFECT"\nescalation = [{ to = ["ada"] }]', 1, "only where 'on_timeout' is 'escalate'"),
        ('condition = "ON_EFFECT"\nescalation = [{ to = ["a"], after_seconds = 9 }, { to = ["b"], after_seconds = 3 }]',
         1, "later than the one before"),
        ('condition = "ON_EFFECT"\ntimeout_seconds = 5\nescalation = [{ to = ["a"], after_seconds = 9 }]', 2,
         "only after the time is over"),
        ('condition = "ON_EFFECT"\napprovers = [" "]', 1, "a name that is empty"),
        ('condition = "ON_EFFECT"\non_timeout = "approve"', 1, "the clock may not approve where send may follow"),
        ('condition = "AFTER_STAGE"\nstage = "reader"\non_timeout = "approve"', 2, "the clock may not approve"),
        ('condition = "BEFORE_EXECUTION"\nstage = "sender"\non_timeout = "approve"', 2, "the clock may not approve"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_explained_with_its_line(tmp_path: Path, checkpoint: str, line: int, says: str) -> None:
    [mistake] = mistakes(tmp_path, checkpoint)
    assert says in mistake
    assert lines(tmp_path, checkpoint) == [line]
    with pytest.raises(InvalidTeamFile):
        load_team(tmp_path / "team.toml")


@pytest.mark.parametrize(
    "checkpoint",
    [
        'condition = "BEFORE_EXECUTION"\nstage = "keeper"\non_timeout = "approve"',
        'condition = "ON_VALUE"\nwhen = [{ measure = "tool", op = "in", value = ["send", "none"] }]',
        'condition = "ON_VALUE"\nstage = "plan"\nwhen = [{ measure = "writes", op = "ge", value = 2 }]',
        'condition = "ON_EFFECT"\naction = "ESCALATE"\nescalation = [{ to = ["ada", "bob"] }]\nquorum = 2',
        'condition = "ON_EFFECT"\nescalation = [{ to = ["a"], after_seconds = 6 }, { to = ["b"], after_seconds = 9 }]',
        'condition = "ON_EFFECT"\non_timeout = "escalate"\nescalation = [{ to = ["a"] }, { to = ["b"] }]',
        'condition = "AFTER_STAGE"\nstage = "result"\nwhen = [{ measure = "quality", op = "lt", value = 0.9 }]',
    ],
)
def test_what_can_be_meant_is_taken(tmp_path: Path, checkpoint: str) -> None:
    assert mistakes(tmp_path, checkpoint) == []


def test_every_contradiction_of_a_checkpoint_is_told_at_once(tmp_path: Path) -> None:
    given = 'condition = "ON_VALUE"\naction = "ESCALATE"\nquorum = 2\napprovers = ["ada"]\non_timeout = "escalate"'
    assert lines(tmp_path, given) == [NO_KEY, 1, 2, 4]
