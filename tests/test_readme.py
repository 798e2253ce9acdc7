"""The README is true: its first example gives what it says, and its code runs."""

import ast
import asyncio
import re
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest
import typer.main
from typer.core import TyperGroup

from agents.team_files import check_team_file
from domain.events import RouteDecided
from understudy.cli.main import app
from understudy.orchestrator import Orchestrator
from understudy.results import RunResult
from understudy.service.serving import serve
from understudy.service.settings import ServiceSettings
from understudy.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GOALS = re.findall(r'make chat GOAL="([^"]+)"', README)
TABLE = ROOT / "examples" / "energy" / "iowa-electricity.csv"


@pytest.fixture
async def understudy(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    settings = load_settings(data=TABLE.parent, out=tmp_path / "out")
    async with Orchestrator(settings) as opened:
        yield opened


async def approved(understudy: Orchestrator, goal: str) -> RunResult:
    """Run a goal and approve what is asked."""
    result = await understudy.run(goal)
    assert result.pending is not None
    assert result.pending.requests[0].name == "write_file"
    answer = {"decisions": [{"type": "approve"}]}
    events = [stamped async for stamped in understudy.resume(result.thread, answer)]
    assert events[-1].event.type == "run_finished"
    return RunResult(result.thread, events[-1].event.outcome, None, result.events + events)


async def test_the_first_example_writes_a_brief_whose_figures_are_those_of_the_table(
    understudy: Orchestrator, tmp_path: Path
) -> None:
    await approved(understudy, GOALS[0])
    (brief,) = (tmp_path / "out").iterdir()
    text = brief.read_text()
    rows = (
        duckdb.connect()
        .execute(
            f"""SELECT source, sum(net_generation) FILTER (year = 2001), sum(net_generation) FILTER (year = 2017)
            FROM '{TABLE}' GROUP BY source"""
        )
        .fetchall()
    )
    total_2017 = sum(row[2] for row in rows)
    assert len(rows) == 3
    for source, first, last in rows:
        assert f"| {source} | {first:,} | {last:,} |" in text
        assert f"{100 * last / total_2017:.1f}" in text
    assert re.search(r"\[(laws-and-incentives\.html|wind-build-out\.md|coal-and-gas\.txt)", text)


async def test_asked_again_in_other_words_the_route_comes_from_memory(understudy: Orchestrator, tmp_path: Path) -> None:
    await approved(understudy, GOALS[0])
    again = await approved(understudy, GOALS[1])
    (route,) = [stamped.event for stamped in again.events if isinstance(stamped.event, RouteDecided)]
    assert (route.decision.source, route.decision.band) == ("memory", "reuse")
    assert again.outcome is not None
    assert again.outcome.status == "done"
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_figures_that_the_readme_quotes_are_in_the_table() -> None:
    query = f"""SELECT year, sum(net_generation) FILTER (source = 'Renewables') AS renewables,
                round(100.0 * renewables / sum(net_generation), 1) FROM '{TABLE}' WHERE year IN (2001, 2017)
                GROUP BY year ORDER BY year"""
    (_, first, share), (_, last, final) = duckdb.connect().execute(query).fetchall()
    assert f"from {first:,} to {last:,} thousand MWh, from {share:g} % to {final:g} %" in " ".join(README.split())


PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
CLIENT = [block for block in PYTHON if "Client(" in block]


@pytest.mark.parametrize("block", [block for block in PYTHON if block not in CLIENT])
async def test_the_python_of_the_readme_runs(block: str) -> None:
    await carried_out(block)


@pytest.mark.parametrize("block", CLIENT)
async def test_the_client_of_the_readme_gets_an_answer(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = load_settings(data=TABLE.parent, service=ServiceSettings(port=0))
    serving = asyncio.create_task(serve(settings, with_engine=True, ready=url.set_result))
    serving.add_done_callback(lambda _: url.done() or url.cancel())
    await carried_out(block.replace("http://127.0.0.1:8321", await url))
    serving.cancel()
    await asyncio.wait({serving})
    assert "wind" in capsys.readouterr().out.lower()


async def carried_out(block: str) -> None:
    imports, _, body = block.partition("\n\n")
    code = f"async def main() -> None:\n{textwrap.indent(body, '    ')}"
    scope: dict[str, object] = {}
    exec(compile(ast.parse(f"{imports}\n{code}"), "README.md", "exec"), scope)
    await scope["main"]()  # type: ignore[operator]


def test_the_readme_names_every_command_and_no_other() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    named = set(re.findall(r"^\| `understudy (\w+)", README, re.MULTILINE))
    assert named == set(group.commands)
    typed = re.findall(r"^(?:\$ )?understudy (\w+)(?: ([a-z]+)\b)?", README, re.MULTILINE)
    assert len(typed) >= 8
    for command, second in typed:
        known = group.commands[command]
        assert not isinstance(known, TyperGroup) or second in known.commands
    for group_name, listed in re.findall(r"^\| `understudy (\w+) ([\w\\|]+)` ", README, re.MULTILINE):
        known = group.commands[group_name]
        if isinstance(known, TyperGroup):
            assert listed.split(r"\|") == list(known.commands)


def test_the_readme_names_every_part_of_memory() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    memory = group.commands["memory"]
    assert isinstance(memory, TyperGroup)
    (row,) = re.findall(r"^\| `understudy memory …` \| what is remembered: (.*) \|$", README, re.MULTILINE)
    assert set(row.split(", ")) == set(memory.commands)


def test_the_settings_of_the_readme_exist() -> None:
    named = {name.lower() for name in re.findall(r"UNDERSTUDY_([A-Z_]+)", README)}
    assert named - {""} <= set(Settings.model_fields)


TOML = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", [block for block in TOML if block.startswith("[notify")])
def test_the_settings_parts_of_the_readme_can_be_read(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "understudy.toml").write_text(block)
    monkeypatch.chdir(tmp_path)
    assert load_settings().notify.users


@pytest.mark.parametrize("block", [block for block in TOML if not block.startswith("[notify")])
def test_the_team_file_parts_of_the_readme_fit_the_shipped_team(block: str, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text((ROOT / "teams" / "documents.toml").read_text() + "\n" + block)
    assert check_team_file(file) == []
