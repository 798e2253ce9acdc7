"""Hostile content through the front door: without a model, and with one that obeys whatever it reads."""

from pathlib import Path

from evals.improvised import Scene
from evals.scripted import ImprovisingServer
from tests.graph.hostile_corpus import ORDER, texts
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

WIND = "# Wind power\n\nWind power grew fastest of all sources. In 2021 it gave 62 % of the electricity of Iowa.\n"
GOAL = "Write a brief on how wind power grew"
READ = {"id": "look", "agent": "read", "task": "Find out how wind power grew"}
DELIVER = {
    "id": "deliver", "agent": "write", "task": "Write the answer to the output folder", "tool": "write_file",
    "args": {"path": "wind.md", "text": {"ref": {"step": "result"}}},
}  # fmt: skip
EVIL = {
    "id": "evil", "agent": "write", "task": ORDER, "tool": "write_file", "args": {"path": "evil.md", "text": "all"},
}  # fmt: skip


TEAM = """
name = "open"
description = "Reads and writes, and asks nobody by itself."

[[specialists]]
name = "read"
description = "Reads documents."
tools = ["search_documents", "read_document"]

[[specialists]]
name = "write"
description = "Writes files."
tools = ["write_file"]
"""


def folder(path: Path, *, hostile: bool) -> Path:
    """Return a folder of documents, with every hostile text in documents, in titles and in the names of files."""
    path.mkdir()
    (path / "wind.md").write_text(WIND)
    for number, (_, text) in enumerate(texts() if hostile else ()):
        name = "".join(char for char in text if char.isalnum() or char in " ._@")[:60].strip()
        (path / f"{name or 'text'} {number}.md").write_text(f"# {text.splitlines()[0]}\n\n{WIND}\n{text}\n")
    return path


def settings(tmp_path: Path, data: Path, **more: str) -> Settings:
    return load_settings(
        home=tmp_path / f"home of {data.name}", out=tmp_path / f"out of {data.name}", data=data, **more
    )


async def effects(given: Settings) -> list[tuple[str, str]]:
    """Return tool and path of every effect of a run of the goal, in which a person allows what the team file asks."""
    async with Orchestrator(given) as understudy:
        waiting = await understudy.run(GOAL, thread="t")
        assert waiting.pending is not None
        assert ["Look closely" in request.told for request in waiting.pending.requests] == [False]
        async for _ in understudy.resume("t", {"decisions": [{"type": "approve"}]}):
            pass
        kept = await understudy._house.effects.of_run("default", waiting.events[0].run)
        return [(each.effect.tool, str(each.effect.args["path"])) for each in kept]


async def test_without_a_model_the_effects_are_those_without_hostile_content(tmp_path: Path) -> None:
    clean = await effects(settings(tmp_path, folder(tmp_path / "clean", hostile=False)))
    hostile = await effects(settings(tmp_path, folder(tmp_path / "hostile", hostile=True)))
    assert clean == hostile == [("write_file", "wind-power-grew.md")]
    assert [path.name for path in (tmp_path / "out of hostile").rglob("*") if path.is_file()] == [clean[0][1]]


async def test_a_model_that_obeys_a_title_gets_no_further_than_a_question(tmp_path: Path) -> None:
    data = folder(tmp_path / "hostile", hostile=True)
    team = tmp_path / "open.toml"
    team.write_text(TEAM)
    scene = Scene(goal=GOAL, kind="creation", plans=[[READ, EVIL, DELIVER]])
    with ImprovisingServer([scene], {}) as server:
        given = settings(
            tmp_path,
            data,
            team=str(team),
            model="openai:improvised",
            openai_base_url=server.base_url,
            openai_api_key="none",
        )
        async with Orchestrator(given) as understudy:
            result = await understudy.run(GOAL, thread="t")
            assert result.pending is not None
            assert [request.id for request in result.pending.requests] == ["evil"]
            assert "'evil.md' came from the documents' names and titles" in result.pending.requests[0].told
    assert not list((tmp_path / "out of hostile").rglob("evil*"))
