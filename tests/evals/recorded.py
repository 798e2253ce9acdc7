"""A small suite that is recorded for real: by the product, from a model that improvises."""

import json
import shutil
from pathlib import Path

import pytest

from evals.improvised import Scene
from evals.playing import Version
from evals.scripted import ImprovisingServer
from understudy.evaluation.recorder import record_folder

GOAL = "Write a brief on the wind at the coast"
STEPS = [{"id": "look", "agent": "read", "task": "Find out what the notes say of wind"}]
TEAM = """
name = "coast"
description = "Reads about the wind."

[[specialists]]
name = "read"
description = "Reads documents."
tools = ["search_documents"]
"""
EXPECTED = """
[[turns]]
route = { source = ["planner"] }
trajectory = { agents = ["read"] }
result = { status = ["done"] }
"""


def hand_written(suite: Path, name: str) -> Path:
    """Write a task as a person does, not yet recorded, and return its folder."""
    folder = suite / "tasks" / name
    folder.mkdir(parents=True)
    (suite / "data").mkdir(exist_ok=True)
    (suite / "data" / "notes.md").write_text("# Wind\n\nWind at the coast is strong in winter.\n")
    (suite / "team.toml").write_text(TEAM)
    task = {
        "format": 1, "name": name, "team": "../../team.toml", "started": 1785000000.0, "data": "../../data",
        "turns": [{"say": GOAL}],
    }  # fmt: skip
    (folder / "task.json").write_text(json.dumps(task))
    (folder / "expect.toml").write_text(EXPECTED)
    return folder


async def recorded_suite(suite: Path, names: tuple[str, ...]) -> None:
    """Record the first task of a suite, and give its recording to the others, too."""
    first, *others = [hand_written(suite, name) for name in names]
    scene = Scene(goal=GOAL, kind="search", plans=[STEPS])
    with (
        ImprovisingServer([scene], {"search_documents": {"query": "wind"}}) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("OPENAI_API_KEY", "the-key-of-this-test")
        environment.setenv("OPENAI_BASE_URL", server.base_url)
        environment.setenv("UNDERSTUDY_MODEL", "openai:improvised")
        await record_folder(first, Version(), answered_by="an improviser")
    for other in others:
        for name in ("calls.json", "tools.json", "answers.json", "before.json"):
            shutil.copyfile(first / name, other / name)
        change_task(other, versions=json.loads((first / "task.json").read_text())["versions"])


def change_task(folder: Path, **changes: object) -> None:
    """Edit a task by hand."""
    path = folder / "task.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
