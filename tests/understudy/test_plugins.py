"""Plug-ins of other packages: installed for real, found, used in a run, and named where they cannot be used."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from agents import plugins as registry
from agents.plugins import loaded
from agents.team_files import check_team_file, load_team
from domain.errors import InvalidPlugin
from domain.events import ResourceBound, StepFinished
from domain.notices import Notice
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import ExpectedTurn
from evals.scoring.scorer import scored
from understudy import plugins
from understudy.cli.main import app
from understudy.notices.channels import Channels
from understudy.notices.rendering import Message
from understudy.notices.settings import ChannelSettings, NotifySettings
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "plugin"
HARBOUR = EXAMPLE / "harbour.toml"
GOAL = "When is there enough water for the ferry to leave?"
BROKEN = {
    "sinking.py": "raise RuntimeError('it sank')\n",
    "leaving.py": "raise SystemExit(3)\n",
    "odd.py": """
from understudy.plugins import Performer, Specialist, ToolDeclaration

NUMBER = 7
NAMED_OTHERWISE = Specialist(name="other", description="Says so.")
CALCULATE = ToolDeclaration(name="calculate", origin="function", target="odd:nothing", effect="none")


def crash(*given, **more):
    raise RuntimeError(f"it broke with {given} {more}")


def words(seen):
    return ["no number"]


async def stumble(assignment):
    raise SystemExit("it stumbled")


async def babble(assignment):
    return "no result"


STUMBLER = Performer(Specialist(name="stumbler", description="Stumbles."), stumble)
BABBLER = Performer(Specialist(name="babbler", description="Babbles."), babble)
""",
    "wreck-0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: wreck\nVersion: 0.1\n",
    "wreck-0.1.dist-info/entry_points.txt": """
[understudy.tools]
sinking = sinking:TOOL
calculate = odd:CALCULATE
absent = odd:ABSENT

[understudy.agents]
leaving = leaving:AGENT
stumbler = odd:STUMBLER
babbler = odd:BABBLER
renamed = odd:NAMED_OTHERWISE

[understudy.resources]
number = odd:NUMBER

[understudy.encoders]
wordllama = odd:crash

[understudy.metrics]
crash = odd:crash
words = odd:words
hours_named = odd:words

[understudy.notifiers]
json = odd:crash
crash = odd:crash
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as pip installs it, and a package of which nothing works."""
    folder = tmp_path_factory.mktemp("plugins")
    source = shutil.copytree(EXAMPLE, folder / "source")  # building leaves files where the source is
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True)
    for name, text in BROKEN.items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text)
    return target


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have both packages be installed in this process."""
    monkeypatch.syspath_prepend(site)
    registry.installed.cache_clear()
    before = set(sys.modules)
    yield
    registry.installed.cache_clear()
    for name in set(sys.modules) - before:
        if name.startswith("understudy_tides") or name in ("sinking", "leaving", "odd"):
            del sys.modules[name]


@pytest.fixture
def understudy() -> Callable[..., Result]:
    """The command line as a function of its arguments."""
    return lambda *args: CliRunner().invoke(app, args)


def problems() -> dict[tuple[str, str], str]:
    return {(each.package, each.name): each.problem for each in plugins.listed() if each.problem}


async def events_of(settings: Settings) -> tuple[list[Any], Any]:
    async with Orchestrator(settings) as understudy:
        told = [stamped async for stamped in understudy.stream(GOAL)]
        return told, await understudy.trace(told[0].run)


@pytest.mark.usefixtures("installed")
async def test_a_real_run_uses_tool_specialist_resource_and_encoder() -> None:
    told, _ = await events_of(Settings(team=str(HARBOUR), encoder="trigrams"))
    results = [each.event.result for each in told if isinstance(each.event, StepFinished)]
    bound = [each.event.resource for each in told if isinstance(each.event, ResourceBound)]
    assert [(r.step, r.agent, r.status, r.origin) for r in results] == [
        ("now", "clerk", "done", "untrusted"), ("hours", "harbour_master", "done", "untrusted"),
    ]  # fmt: skip
    assert results[0].data == {"hour": 6.0, "metres": 1.01}
    assert results[1].data["hours"] == [0, 1, 2, 10, 11, 12, 13, 14, 15, 23]
    assert bound == ["tide_gauge"]


@pytest.mark.usefixtures("installed")
async def test_the_encoder_of_a_plug_in_recalls_what_was_done() -> None:
    settings = Settings(team=str(HARBOUR), encoder="trigrams")
    await events_of(settings)
    async with Orchestrator(settings) as understudy:
        assert (await understudy.status()).encoder == "trigrams"
        recalled = (await understudy.route(GOAL)).neighbours
    assert [round(each.similarity, 3) for each in recalled] == [1.0]


@pytest.mark.usefixtures("installed")
async def test_a_metric_of_a_plug_in_scores_a_real_turn() -> None:
    told, trace = await events_of(Settings(team=str(HARBOUR)))
    expected = ExpectedTurn(metrics=("hours_named", "crash", "words", "missing"))
    found = {s.name: s for s in scored(expected, Evidence(told, trace)) if s.name.startswith("metrics.")}
    assert (found["metrics.hours_named"].value, found["metrics.hours_named"].kind) == (10.0, "efficiency")
    assert {name for name, score in found.items() if not score.passed} == {
        "metrics.crash.error", "metrics.words.error", "metrics.missing.error",
    }  # fmt: skip
    assert "broke down: RuntimeError" in found["metrics.crash.error"].detail


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "code"), [("stumbler", "tool_crashed"), ("babbler", "malformed_output")])
async def test_a_specialist_whose_code_breaks_fails_its_step_only(name: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TEAM.format(plugins=f'plugins = ["{name}"]', tools="") + ONE_STEP.format(agent=name))
    told, _ = await events_of(Settings(team=str(file), max_attempts=1, retry_pause=0))
    failures = [each.event.result.failure for each in told if isinstance(each.event, StepFinished)]
    assert failures[0] is not None
    assert failures[0].code == code
    assert told[-1].event.type == "run_finished"


def channel(url: str) -> Channels:
    return Channels(NotifySettings(users={"ada": [ChannelSettings(url=SecretStr(url))]}))


async def sent(channels: Channels) -> str:
    [to] = channels.of(Notice(id="n1", workspace="w", kind="acted", title="Ferry", body="It left.", to=("ada",)))
    return await channels.send(to, Message("Ferry", "It left."), "n1")


@pytest.mark.usefixtures("installed")
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_a_notifier_of_a_plug_in_is_reached_by_its_scheme(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    assert await sent(channel(f"logbook://{book}")) == ""
    assert json.loads(book.read_text()) == {"notice": "n1", "title": "Ferry", "body": "It left."}


@pytest.mark.usefixtures("installed")
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_a_notifier_that_breaks_says_why_without_its_url() -> None:
    why = await sent(channel("crash://hunter2hunter2"))
    assert why.startswith("plug-in 'crash' broke down: RuntimeError: it broke with")
    assert "hunter2" not in why


@pytest.mark.usefixtures("installed")
def test_what_cannot_be_used_is_named_and_the_rest_works() -> None:
    assert problems() == {
        ("wreck 0.1", "sinking"): "loading it broke down: RuntimeError: it sank",
        ("wreck 0.1", "leaving"): "loading it broke down: SystemExit: 3",
        ("wreck 0.1", "absent"): "loading it broke down: AttributeError: module 'odd' has no attribute 'ABSENT'",
        ("wreck 0.1", "calculate"): "the name is that of a built-in part, which stays",
        ("wreck 0.1", "wordllama"): "the name is that of a built-in part, which stays",
        ("wreck 0.1", "json"): "the name is that of a built-in part, which stays",
        ("wreck 0.1", "renamed"): "what it names is called 'other'",
        ("wreck 0.1", "number"): "it names a int, not a Resource",
        ("wreck 0.1", "hours_named"): "the name is taken by understudy-tides 0.1.0",
    }
    assert {each.name for each in plugins.listed() if not each.problem} == {
        "tide_height", "harbour_master", "tide_gauge", "trigrams", "hours_named", "logbook", "crash", "words",
        "stumbler", "babbler",
    }  # fmt: skip


@pytest.mark.usefixtures("installed")
async def test_the_status_names_broken_plug_ins_and_since_when() -> None:
    async with Orchestrator(Settings()) as understudy:
        status = await understudy.status()
    note = "plug-in 'sinking' of wreck 0.1 (tools): loading it broke down: RuntimeError: it sank"
    assert note in status.degraded
    assert status.degraded_since[note] > 0


@pytest.mark.usefixtures("installed")
def test_the_command_lists_them(understudy: Callable[..., Result]) -> None:
    found = {each["name"]: each for each in json.loads(understudy("plugins", "--json").stdout)}
    assert found["tide_height"] == {
        "group": "tools", "name": "tide_height", "package": "understudy-tides 0.1.0", "problem": "",
    }  # fmt: skip
    assert "sinking\ttools\twreck 0.1\tloading it broke down" in understudy("plugins").stdout


def test_the_command_says_when_there_are_none(understudy: Callable[..., Result]) -> None:
    registry.installed.cache_clear()
    assert understudy("plugins").stdout == "no plug-ins are installed\n"


@pytest.mark.usefixtures("installed")
def test_an_unknown_encoder_is_an_error(understudy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENCODER", "missing")
    done = understudy("status")
    assert done.exit_code == 2
    assert "there is no encoder 'missing'" in done.stderr


TEAM = """
name = "office"
description = "Works."
{plugins}

[[specialists]]
name = "clerk"
description = "Reads."
tools = [{tools}]
"""
ONE_STEP = """
[[templates]]
name = "one"
kinds = ["search", "analysis"]

[[templates.steps]]
id = "one"
agent = "{agent}"
task = "Do it."
"""


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("given", "tools", "mistake"),
    [
        ('plugins = ["harbour_mastre"]', "", "line 4: 'plugins': no specialist or resource of a plug-in is called "
         "'harbour_mastre' — did you mean 'harbour_master'?"),
        ('plugins = ["leaving"]', "", "line 4: 'plugins': plug-in 'leaving' of wreck 0.1 (agents): loading it"),
        ('plugins = ["harbour_master", "harbour_master"]', "", "specialist 'harbour_master' is already there"),
        ("plugins = 7", "", "'plugins' must be an array"),
        ("", '"sinking"', "plug-in 'sinking' of wreck 0.1 (tools): loading it broke down"),
        ("", '"nowhere"', "specialist 'clerk' has unknown tool 'nowhere'"),
    ],
    ids=["misspelt", "broken", "twice", "no array", "broken tool", "unknown tool"],
)  # fmt: skip
def test_a_team_file_is_told_what_it_cannot_have(given: str, tools: str, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TEAM.format(plugins=given, tools=tools))
    assert any(mistake in str(found) for found in check_team_file(file))


@pytest.mark.usefixtures("installed")
def test_a_tool_that_the_file_declares_comes_before_that_of_a_plug_in(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    own = '[[tools]]\nname = "tide_height"\nfrom = "function"\ntarget = "math:sqrt"\neffect = "none"\n'
    file.write_text(TEAM.format(plugins="", tools='"tide_height"') + own)
    assert [tool.target for tool in load_team(file).tools] == ["math:sqrt"]


@pytest.mark.usefixtures("installed")
def test_a_team_that_names_no_plug_in_gets_none() -> None:
    team = load_team("documents")
    assert (team.plugins, team.tools, team.resources) == ((), (), ())


def test_a_name_that_is_none_is_refused() -> None:
    point = EntryPoint(name="Bad Name", value="odd:x", group="understudy.tools")
    assert loaded("tools", [point])[0].problem.startswith("a name is a-z")


def test_what_is_not_there_cannot_be_required() -> None:
    with pytest.raises(InvalidPlugin, match="no plug-in of the group 'metrics' is called 'missing'"):
        registry.required("metrics", "missing")


@pytest.mark.parametrize("name", plugins.__all__)
def test_what_plug_ins_are_written_against_is_there(name: str) -> None:
    assert getattr(plugins, name) is not None


def test_what_is_not_offered_is_not_there() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        plugins.nonsense  # noqa: B018


def test_nothing_of_a_plug_in_is_loaded_before_it_is_wanted(site: Path) -> None:
    script = "import sys, understudy.cli.main, understudy.plugins; print('understudy_tides' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert done.stdout == "False\n"


def test_the_tests_of_the_example_pass(site: Path) -> None:
    places = f"{site}{os.pathsep}{ROOT}"
    environment = os.environ | {"PYTHONPATH": places, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(EXAMPLE / "pyproject.toml")]
    done = subprocess.run([*command, str(EXAMPLE / "tests")], cwd=site, env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout
