"""Commands on a server: the same text as on a data folder, and typed refusals for what a server does not offer."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.understudy.client.conftest import Invoke, settings_in
from tests.understudy.client.served import Place, served
from understudy.service.app import create_app

GROWTH = "Which source of electricity grew most, and why?"
BRIEF = "Write a brief about wind power in Iowa"
REPORT = "Write a brief about coal power in Iowa"
Both = Callable[..., tuple[Result, Result]]
_VARIES = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b[0-9a-f]{12}\b|\b[0-9a-f]{32,64}\b", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", "TIME"),
    (r"\d+(\.\d+)? ?(s|ms|min|%)(?=\W|$)", "N"),
    (r"\b\d+\.\d+\b", "N"),
    (r"home +\S+", "home"),
    (r"/\S*/out/", "OUT/"),
)


def steady(text: str) -> str:
    """Return a text without what differs from run to run: ids, times, shares of times, folders."""
    for pattern, word in _VARIES:
        text = re.sub(pattern, word, text)
    # The log keeps mappings by name; whoever does not read them from there has them in the order of their making.
    text = re.sub(r"\(([^()\n]*, [^()\n]*)\)", lambda many: f"({', '.join(sorted(many[1].split(', ')))})", text)
    return re.sub(r"[ \t]+", " ", text)


def progress(text: str) -> list[str]:
    """Return the steady lines of what was told on the way; steps that go on side by side have no order."""
    return sorted(steady(text).splitlines())


@pytest.fixture
def there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SERVER_URL", place.url)


@pytest.fixture
def both(understudy: Invoke, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Run a command on a data folder, and on the server in a workspace of the test's own."""
    here = settings_in(tmp_path / "here")
    workspace = re.sub(r"\W", "-", tmp_path.name.lower())[:40]

    def run(*args: str, input: str | None = None) -> tuple[Result, Result]:
        monkeypatch.setenv("UNDERSTUDY_WORKSPACE", workspace)
        monkeypatch.setenv("UNDERSTUDY_USER", "ada")
        with monkeypatch.context() as local:
            for name in ("home", "data", "out"):
                local.setenv(f"UNDERSTUDY_{name.upper()}", str(getattr(here, name)))
            first = understudy(*args, input=input)
        with monkeypatch.context() as remote:
            remote.setenv("UNDERSTUDY_SERVER_URL", place.url)
            remote.setenv("UNDERSTUDY_HOME", str(tmp_path / "untouched"))
            second = understudy(*args, input=input)
        assert not (tmp_path / "untouched").exists(), f"a command on a server worked on a data folder: {second.stderr}"
        return first, second

    return run


def assert_same(results: tuple[Result, Result]) -> Result:
    here, there = results
    assert there.exit_code == here.exit_code, there.stderr
    assert steady(there.stdout) == steady(here.stdout)
    assert progress(there.stderr) == progress(here.stderr)
    return there


def test_a_run_says_the_same(both: Both) -> None:
    assert "grew" in assert_same(both("run", GROWTH)).stdout


def test_a_run_that_is_approved_says_the_same_and_everything_about_it(both: Both) -> None:
    assert assert_same(both("run", BRIEF, "--yes", "--thread", "brief")).exit_code == 0
    for command in (
        ["performance"], ["status"], ["friction"], ["inbox", "list"],
        ["feedback", "brief", "--rating", "4"], ["undo", "brief"], ["resume", "brief"],
    ):  # fmt: skip
        assert_same(both(*command))


def test_where_time_went_is_told_like_here(both: Both) -> None:
    both("run", GROWTH, "--thread", "timed")
    traces = [json.loads(each.stdout) for each in both("trace", "timed", "--json")]
    here, there = ([(step["id"], step["agent"], step["status"]) for step in trace["steps"]] for trace in traces)
    assert here == there != []
    assert "critical path" in both("trace", "timed")[1].stdout
    assert [json.loads(each.stdout)["runs"] for each in both("bottlenecks", "--json")] == [1, 1]
    assert "critic (no model at work)" in both("bottlenecks")[1].stdout


def test_a_run_that_waits_is_found_in_the_inbox_and_goes_on_there(both: Both) -> None:
    assert assert_same(both("run", REPORT, "--thread", "asks")).exit_code == 3
    for command in (["inbox", "list"], ["inbox", "show", "asks"], ["status"], ["resume", "asks"]):
        assert_same(both(*command))
    approved = assert_same(both("inbox", "approve", "asks"))
    assert approved.exit_code == 0
    assert "Coal power in Iowa" in approved.stdout
    assert_same(both("inbox", "list", "--closed"))


def test_words_and_edits_are_given_like_here(both: Both) -> None:
    both("run", BRIEF, "--thread", "edited")
    assert_same(both("inbox", "edit", "edited", "nothing=there"))
    edited = assert_same(both("inbox", "edit", "edited", "path=short.md"))
    assert edited.exit_code == 0
    both("run", BRIEF, "--thread", "refused")
    assert assert_same(both("inbox", "respond", "refused", "no, because it is too long")).exit_code == 1


@pytest.mark.parametrize("command", ["route", "plan"])
def test_routing_and_planning_say_the_same(both: Both, command: str) -> None:
    assert_same(both(command, GROWTH))


def test_only_planning_says_the_same_and_can_be_carried_out(both: Both) -> None:
    assert_same(both("run", GROWTH, "--plan-only", "--thread", "planned"))
    assert assert_same(both("resume", "planned")).exit_code == 0


def test_a_chat_answers_the_same(both: Both) -> None:
    here, there = both("chat", input=f"{GROWTH}\n/why\n/plan\n/nonsense\n/quit\n")
    assert (there.exit_code, steady(there.stdout)) == (here.exit_code, steady(here.stdout))
    assert "server" in there.stderr and "server" not in here.stderr
    said, meant = (each.stderr.partition("/quit to leave")[2] for each in (there, here))
    assert progress(said) == progress(meant)


def test_decisions_in_a_file_are_used_on_a_server(understudy: Invoke, there: None, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.jsonl"
    decisions.write_text('{"name": "write_file", "type": "edit", "args": {"path": "by-file.md"}}\n')
    done = understudy("run", BRIEF, "--decide", str(decisions))
    assert done.exit_code == 0, done.stderr
    assert "by-file.md" in done.stdout + done.stderr


def test_events_are_printed_as_json(understudy: Invoke, there: None) -> None:
    lines = [json.loads(line) for line in understudy("run", GROWTH, "--json").stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[0]["type"], lines[-1]["type"]) == ("run_started", "run_finished")


@pytest.mark.parametrize(
    "command",
    [["rules", "list"], ["memory", "list"], ["audit", "show"], ["prune"], ["tools", "list"], ["notify", "list"]],
)
def test_what_a_server_does_not_offer_says_where_to_do_it(
    understudy: Invoke, there: None, home: Path, command: list[str]
) -> None:
    refused = understudy(*command)
    assert refused.exit_code == 2
    assert "run it on the server's machine" in refused.stderr
    assert not home.exists()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("option", ["--team", "--data", "--out"])
def test_a_server_works_with_its_own_team_and_folders(
    understudy: Invoke, there: None, option: str, tmp_path: Path
) -> None:
    refused = understudy("run", GROWTH, option, str(tmp_path))
    assert refused.exit_code == 2
    assert f"{option}: a server works with its own" in refused.stderr


def test_a_server_that_is_not_there_is_told_at_once(understudy: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SERVER_URL", "http://127.0.0.1:9")
    away = understudy("status")
    assert away.exit_code == 1
    assert "the server at 127.0.0.1:9 is away" in away.stderr


def test_a_key_never_goes_in_clear(understudy: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SERVER_URL", "http://understudy.example")
    monkeypatch.setenv("UNDERSTUDY_SERVER_KEY", "us-key-4711")
    refused = understudy("status")
    assert refused.exit_code == 2
    assert "in clear" in refused.stderr and "4711" not in refused.stderr


def test_a_wrong_key_is_told_and_a_right_one_works_in_its_workspace_only(
    understudy: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path / "there")
    with monkeypatch.context() as admin:
        admin.setenv("UNDERSTUDY_HOME", str(settings.home))
        made = understudy("keys", "create", "--user", "bob", "--workspace", "acme")
    key = made.stdout.strip()
    with served(create_app(settings)) as place:
        monkeypatch.setenv("UNDERSTUDY_SERVER_URL", place.url)
        assert understudy("status").exit_code == 1
        monkeypatch.setenv("UNDERSTUDY_SERVER_KEY", key[:-1] + "?")
        wrong = understudy("status")
        assert (wrong.exit_code, key[:20] in wrong.stderr) == (1, False)
        monkeypatch.setenv("UNDERSTUDY_SERVER_KEY", key)
        assert "acme" in understudy("status").stdout
        elsewhere = understudy("status", "--workspace", "other")
        assert (elsewhere.exit_code, "other" in elsewhere.stderr) == (1, True)


def test_a_chat_lists_renames_exports_and_asks_on_a_server_as_here(both: Both, tmp_path: Path) -> None:
    typed = [GROWTH, "/rename What it means", "/threads", "/ask what have you changed?", "/export out.md"]
    typed += ["/memory electricity", "/memory", "/switch what it MEANS", "/rename", "/threads", "/switch nowhere"]
    here, there = both("chat", input="\n".join([*typed, ""]))
    assert "'What it means' (" in there.stderr and "'nowhere' names no conversation" in there.stderr
    assert (tmp_path / "out.md").read_text().startswith("# What it means\n")

    def told(text: str) -> list[str]:
        said = text.partition("remembered as")[2]
        return steady(re.sub(r"\d\d \w{3} \d\d:\d\d", "TIME", said)).splitlines()

    assert told(there.stderr) == told(here.stderr)
