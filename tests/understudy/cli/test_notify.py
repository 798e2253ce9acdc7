"""`understudy notify` and `understudy friction`."""

import asyncio
import json
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from memory.friction import Friction
from memory.sqlite import SqliteRecords
from tests.understudy.cli.conftest import Invoke
from tests.understudy.notices.servers import mailbox, webhook
from understudy.durable.database import FILE

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def configured(*lines: str) -> None:
    Path("understudy.toml").write_text("\n".join(["[notify]", *lines]) + "\n")


def test_every_channel_is_tried_and_told_of(understudy: Invoke) -> None:
    with webhook() as hook, mailbox() as (box, mail):
        configured(f"users = {{ ada = '{mail}' }}", f"workspaces = {{ default = ['{hook.url}', '{hook.url}'] }}")
        done = understudy("notify", "test")
        assert (done.exit_code, done.stdout) == (
            0, "channel\tresult\nusers.ada[0] (mailto)\tsent\nworkspaces.default[0] (json)\tsent\n",
        )  # fmt: skip
        assert hook.received[0]["title"] == "Understudy: a test notice"
        assert [got["subject"] for got in box.mails] == ["Understudy: a test notice"]


def test_a_channel_that_fails_is_told_of_without_its_url(understudy: Invoke) -> None:
    with webhook() as hook:
        hook.status = 403
        configured(f"users = {{ ada = ['{hook.url}/hunter2hunter2', 'nonsense://hunter2hunter2'] }}")
        done = understudy("notify", "test", "--json")
        assert len(hook.received) == 1
    assert done.exit_code == 1
    first, second = json.loads(done.stdout)
    assert first["channel"] == "users.ada[0] (json)" and "error=403" in first["problem"]
    assert second["problem"] == "the URL of channel notify.users.ada[1] (nonsense) is none that apprise can use"
    assert "hunter2" not in done.output


def test_without_a_channel_the_way_to_one_is_told(understudy: Invoke) -> None:
    done = understudy("notify", "test")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no channel is configured" in done.stderr and "notify --help" in done.stderr


def test_a_bad_url_is_refused_without_repeating_it(understudy: Invoke) -> None:
    configured("users = { ada = 'hunter2-hunter2' }")
    done = understudy("notify", "test")
    assert done.exit_code == 2
    assert "notify.users.ada.0.url" in done.stderr and "hunter2" not in done.output


def test_notices_are_listed_and_given_up_ones_show_in_the_status(understudy: Invoke, home: Path) -> None:
    assert understudy("notify", "list").stdout == "status\tkind\twritten\ttries\tnotice\treason\n"
    row = {
        "id": "q1:asked:0", "workspace": "default", "kind": "asked", "title": "Approval wanted: send_mail",
        "notice": "{}", "status": "given_up", "created": 0.0, "due": 0.0, "tries": 9, "claim": "", "took": "[]",
        "reason": "users.ada[0] (json): error=503", "ended": time.time(),
    }  # fmt: skip
    engine = sa.create_engine(f"sqlite:///{home / FILE}")
    with engine.begin() as connection:
        names = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"INSERT INTO notices ({', '.join(row)}) VALUES ({names})"), row)
    engine.dispose()
    (listed,) = json.loads(understudy("notify", "list", "--json").stdout)
    assert (listed["status"], listed["tries"], listed["reason"]) == ("given_up", 9, "users.ada[0] (json): error=503")
    assert "given up\tasked\t" in understudy("notify", "list").stdout
    assert "1 notice(s) could not be delivered" in understudy("status").stdout


def test_friction_is_shown_by_user_and_week(understudy: Invoke, home: Path) -> None:
    async def bother() -> None:
        records = await SqliteRecords.open(home / "records.sqlite")
        friction = Friction(records, clock=time.time)
        for number in range(3):
            await friction.nagged("default", ["ada"], once=str(number))
        await records.close()

    asyncio.run(bother())
    (week,) = json.loads(understudy("friction", "--json").stdout)
    assert (week["user"], week["nags"], week["taps"], week["is_within_targets"]) == ("ada", 3, 0, True)
    head, row = understudy("friction", "--weeks", "1").stdout.splitlines()
    assert head.split("\t") == [
        "week", "user", "taps", "dialogs", "nags", "edits", "overrides", "median time", "targets",
    ]  # fmt: skip
    assert row.split("\t")[1:] == ["ada", "0", "0", "3", "0", "0", "", "met"]
