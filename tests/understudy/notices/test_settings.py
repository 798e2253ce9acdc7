"""The settings `[notify]`: their forms, and that no mistake repeats a URL."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import InvalidSettings
from domain.notices import Notice
from understudy.known_secrets import known_secrets
from understudy.notices.channels import Channels
from understudy.settings import load_settings

EXAMPLE = """
[notify]
link = "https://desk.example.com/inbox"
[notify.users]
ada = "mailtos://ada:pass-word-1@example.com"
[notify.workspaces]
default = ["json://127.0.0.1:8080/hook", { url = "slack://TokenA123/TokenB1234/TokenC12345", kinds = ["escalated"] }]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notice(to: tuple[str, ...], kind: str = "asked", workspace: str = "default") -> Notice:
    fields = {"id": "n", "kind": kind, "workspace": workspace, "to": to, "title": "t", "body": "b"}
    return Notice.model_validate(fields)


def test_a_file_names_channels_by_user_and_workspace(folder: Path) -> None:
    (folder / "understudy.toml").write_text(EXAMPLE)
    channels = Channels(load_settings().notify)

    def names(*to: str, **fields: str) -> list[str]:
        return [channel.name for channel in channels.of(notice(to, **fields))]

    ada, hook, chat = "users.ada[0] (mailtos)", "workspaces.default[0] (json)", "workspaces.default[1] (slack)"
    assert names("ada") == [ada]
    assert names() == [hook]
    assert names(kind="escalated") == [hook, chat]
    assert names("ada", "bob") == [ada, hook]  # bob has none of his own
    assert names(workspace="other") == []
    assert names("bob", workspace="other") == []


def test_the_environment_names_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_NOTIFY__USERS", '{"ada": "json://127.0.0.1/a", "bob": ["json://127.0.0.1/b"]}')
    monkeypatch.setenv("UNDERSTUDY_NOTIFY__TIMEOUT_SECONDS", "3")
    settings = load_settings().notify
    assert (sorted(settings.users), settings.timeout_seconds) == (["ada", "bob"], 3)


@pytest.mark.parametrize(
    "bad",
    [
        'users = { ada = "hunter2@example.com" }',
        'users = { ada = ["json://x y/hunter2"] }',
        'users = { ada = [{ url = "hunter2" }] }',
        'users = { ada = [{ url = "json://x/hunter2", kinds = ["hunter2"] }] }',
        'workspaces = ["json://x/hunter2"]',
        'link = "ftp://hunter2"',
    ],
)
def test_a_mistake_is_told_without_the_url(folder: Path, bad: str) -> None:
    (folder / "understudy.toml").write_text(f"[notify]\n{bad}\n")
    with pytest.raises(InvalidSettings, match="notify") as found:
        load_settings()
    assert "hunter2" not in str(found.value)


def test_a_mistake_in_the_environment_is_told_without_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_NOTIFY__USERS", '{"ada": "json://x/hunter2')
    with pytest.raises(InvalidSettings) as found:
        load_settings()
    assert "hunter2" not in str(found.value)


def test_urls_and_the_keys_in_them_are_secrets(folder: Path) -> None:
    (folder / "understudy.toml").write_text(EXAMPLE)
    hidden = known_secrets(load_settings()).text
    assert hidden("pass-word-1 TokenA123 TokenB1234 TokenC12345") == "[secret] [secret] [secret] [secret]"
    assert hidden("json://127.0.0.1:8080/hook") == "[secret]"
    assert hidden("at 127.0.0.1:8080, example.com") == "at 127.0.0.1:8080, example.com"
    assert "pass-word" not in repr(load_settings())


def test_nothing_slow_is_loaded_before_something_is_sent() -> None:
    script = "import sys, understudy.cli.main, understudy.notices.outbox; print('apprise' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.stdout.strip() == "False"
