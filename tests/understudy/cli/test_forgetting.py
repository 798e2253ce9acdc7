"""Forgetting a conversation, profiles, and what a records' server did not take, on the command line."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from evals.scripted import ScriptedServer
from memory.outbox import Outbox
from memory.writes import Write
from tests.redis_server import RedisServer

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
CANARY = "canary-55e0"
SECRET = f"What does {CANARY} mean in net generation?"


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def remembered(understudy: Invoke) -> list[str]:
    return [task["goal"] for task in json.loads(understudy("memory", "list", "--json").stdout)]


def test_a_forgotten_conversation_leaves_no_byte(understudy: Invoke, home: Path) -> None:
    understudy("run", "What does net generation mean?", "--data", ENERGY, "--thread", "other")
    understudy("run", SECRET, "--data", ENERGY, "--thread", "secret")
    understudy("run", f"And what else about {CANARY}?", "--data", ENERGY, "--thread", "secret")
    understudy("feedback", "secret", "--rating", "2", "--correction", f"{CANARY} is a bird")
    assert CANARY.encode() in stored(home)
    result = understudy("memory", "forget", "--thread", "secret", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "forgot conversation 'secret' and 2 task(s)\n"
    assert CANARY.encode() not in stored(home)
    assert remembered(understudy) == ["What does net generation mean?"]
    assert understudy("resume", "secret").exit_code == 2


def test_an_effect_and_a_question_go_with_their_conversation(understudy: Invoke, home: Path, tmp_path: Path) -> None:
    goal = f"Write a brief on how Iowa's electricity mix changed, for {CANARY}"
    waiting = understudy("run", goal, "--data", ENERGY, "--out", str(tmp_path / "out"), "--thread", "waiting")
    assert waiting.exit_code == 3
    done = understudy("run", goal, "--data", ENERGY, "--out", str(tmp_path / "out"), "--thread", "done", "--yes")
    assert done.exit_code == 0
    assert b"effects:default:" in stored(home)
    for thread in ("waiting", "done"):
        assert understudy("memory", "forget", "--thread", thread, "--yes").exit_code == 0
    assert CANARY.encode() not in stored(home)
    assert b"effects:default:" not in stored(home)


def test_a_task_that_another_conversation_did_too_stays(understudy: Invoke) -> None:
    for thread in ("first", "second"):
        understudy("run", SECRET, "--data", ENERGY, "--thread", thread)
    assert understudy("memory", "forget", "--thread", "first", "--yes").stdout.endswith("and 0 task(s)\n")
    assert remembered(understudy) == [SECRET]
    assert understudy("memory", "forget", "--thread", "second", "--yes").stdout.endswith("and 1 task(s)\n")
    assert remembered(understudy) == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--thread", "nobody"), "has no thread 'nobody'"),
        ((), "name a task by its id, or a conversation with --thread"),
        (("abc", "--thread", "t"), "name a task by its id, or a conversation with --thread"),
    ],
)
def test_what_cannot_be_forgotten_is_told(understudy: Invoke, args: tuple[str, ...], says: str) -> None:
    result = understudy("memory", "forget", *args, "--yes")
    assert (result.exit_code, says in result.stderr) == (2, True)


def test_without_agreement_nothing_is_forgotten(understudy: Invoke) -> None:
    understudy("run", SECRET, "--data", ENERGY, "--thread", "t")
    assert "nothing was forgotten" in understudy("memory", "forget", "--thread", "t", input="n\n").stderr
    assert remembered(understudy) == [SECRET]


def test_a_profile_is_set_shown_told_and_unset(understudy: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = ("memory", "profiles")
    assert understudy(*profiles, "set", "brand_voice.tone", "plain and warm").stdout == "brand_voice.tone is set\n"
    understudy(*profiles, "set", "preferences.length", "one page")
    understudy(*profiles, "set", "target_profiles", '[{"name": "teachers"}]')
    found = json.loads(understudy(*profiles, "show", "--json").stdout)
    assert (found["brand_voice"], found["preferences"]) == ({"tone": "plain and warm"}, {"length": "one page"})
    assert (found["target_profiles"], found["provenance"]["writer"]) == ([{"name": "teachers"}], "person")
    assert "preferences.length\tone page" in understudy(*profiles, "show").stdout
    assert json.loads(understudy(*profiles, "show", "--workspace", "other", "--json").stdout)["brand_voice"] == {}
    with ScriptedServer([ROUTE, PLAN, {"content": {"problems": []}}]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        understudy("route", "Which source of electricity grew most?")
        planner = "\n".join(message["content"] for message in server.requests()[1]["messages"])
    assert '"length":"one page"' in planner and '"name":"teachers"' in planner
    monkeypatch.delenv("OPENAI_API_KEY")
    for name in ("brand_voice.tone", "preferences.length", "target_profiles"):
        assert understudy(*profiles, "unset", name).stdout == f"{name} is removed\n"
    assert understudy(*profiles, "show").stdout.splitlines() == ["name\tvalue"]


ROUTE: dict[str, Any] = {"content": {"route": "plan", "kind": "search", "message": "", "reason": "r"}}
PLAN: dict[str, Any] = {"content": {"alternatives": [{"steps": [{"id": "find", "agent": "read", "task": "Find it."}]}]}}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("set", "voice", "x"), "no entry 'voice'; it has target_profiles, brand_voice.NAME, preferences.NAME"),
        (("set", "preferences.", "x"), "no entry"),
        (("set", "preferences.a", " "), "takes 1 to 2,000"),
        (("set", "preferences.a", "x" * 2001), "takes 1 to 2,000"),
        (("set", "target_profiles", "teachers"), "takes a JSON list of objects"),
        (("unset", "preferences.a"), "the profile has no preferences.a"),
        (("unset", "target_profiles"), "the profile has no target_profiles"),
    ],
)
def test_a_profile_with_mistakes_is_refused(understudy: Invoke, args: tuple[str, ...], says: str) -> None:
    result = understudy("memory", "profiles", *args)
    assert (result.exit_code, says in result.stderr) == (2, True)


@pytest.fixture
def on_redis(redis_server: RedisServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """The product with a write that its Redis refuses for good."""
    home.mkdir(exist_ok=True)

    async def spoil() -> None:
        outbox = await Outbox.open(home / "outbox.sqlite")
        await outbox.add(Write("w", 1, "append", "log", '{"n":1}'), 1_700_000_000.0)
        await outbox.close()
        async with redis_server.client() as client:
            await client.set("understudy:log:log", "no list")

    asyncio.run(spoil())
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", redis_server.url.get_secret_value())
    yield redis_server


def test_refused_writes_are_listed_tried_again_and_given_up(understudy: Invoke, on_redis: RedisServer) -> None:
    assert "1 write(s) were refused for good and lie aside" in understudy("status").stdout
    (aside,) = json.loads(understudy("memory", "refused", "--json").stdout)
    assert (aside["kind"], aside["key"], "WRONGTYPE" in aside["reason"]) == ("append", "log", True)
    assert "\tappend\tlog\t" in understudy("memory", "refused").stdout
    assert understudy("memory", "refused", "--retry").stdout == "1 write(s) were refused again\n"
    assert understudy("memory", "refused", "--retry", "--discard").exit_code == 2

    async def mended() -> None:
        async with on_redis.client() as client:
            await client.delete("understudy:log:log")

    asyncio.run(mended())
    assert understudy("memory", "refused", "--retry").stdout == "0 write(s) were refused again\n"
    assert understudy("memory", "refused", "--json").stdout == "[]\n"
    assert understudy("memory", "refused", "--discard").stdout == "gave up 0 write(s)\n"


def test_writes_left_for_a_redis_that_is_no_longer_configured_are_told(
    understudy: Invoke,
    on_redis: RedisServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("UNDERSTUDY_REDIS_URL")
    understudy("memory", "list")
    (told,) = [record.getMessage() for record in caplog.records if record.name == "understudy.wiring"]
    assert told.startswith(f"1 write(s) for Redis wait in {home / 'outbox.sqlite'}")
    assert "set UNDERSTUDY_REDIS_URL again" in told
    caplog.clear()
    assert any("for Redis wait" in note for note in json.loads(understudy("status", "--json").stdout)["degraded"])
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", on_redis.url.get_secret_value())
    understudy("memory", "refused", "--discard")
    monkeypatch.delenv("UNDERSTUDY_REDIS_URL")
    caplog.clear()
    understudy("memory", "list")
    assert [record for record in caplog.records if record.name == "understudy.wiring"] == []


def test_forgetting_on_redis_leaves_no_byte_in_its_files(
    understudy: Invoke, redis_server: RedisServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", redis_server.url.get_secret_value())
    understudy("run", SECRET, "--data", ENERGY, "--thread", "secret")
    assert CANARY.encode() in stored(redis_server.folder)
    result = understudy("memory", "forget", "--thread", "secret", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert CANARY.encode() not in stored(home)
    assert gone(redis_server)


def gone(server: RedisServer) -> bool:
    """Old files are removed in a thread of the server, a moment after the new ones are there."""

    async def looked() -> bool:
        for _ in range(500):
            if CANARY.encode() not in stored(server.folder):
                return True
            await asyncio.sleep(0.01)
        return False

    return asyncio.run(looked())
