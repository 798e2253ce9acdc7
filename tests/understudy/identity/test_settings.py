import json
import os
from typing import Any

import pytest

from domain.errors import IdentityMissing, InvalidSettings
from understudy.identity.local import is_local_request
from understudy.identity.settings import IdentitySettings, checked_address, rate_of
from understudy.known_secrets import known_secrets
from understudy.settings import load_settings

OIDC = {"issuer": "https://id.example.org", "client_id": "console"}
SECRET = "a-client-secret-0123456789"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_this_machine_needs_no_identity(host: str) -> None:
    checked_address(load_settings(), host, has_keys=False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.2", "example.org", "localhost.evil.org", "127.0.0.1.x"]
)
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(IdentityMissing, match="understudy keys create"):
        checked_address(load_settings(), host, has_keys=False)
    checked_address(load_settings(), host, has_keys=True)
    checked_address(load_settings(identity={"oidc": OIDC}), host, has_keys=False)


@pytest.mark.parametrize(
    ("host", "origin", "headers"),
    [
        ("localhost:8321", None, ()),
        ("127.0.0.1", None, ("accept", "host")),
        ("[::1]:8321", "http://[::1]:8321", ()),
        ("LOCALHOST:8321", "http://localhost:8321", ()),
        ("localhost", "http://localhost:80", ()),
        ("localhost:443", "https://localhost", ()),
    ],
)
def test_what_the_person_does_is_local(host: str, origin: str | None, headers: tuple[str, ...]) -> None:
    assert is_local_request(host, origin, headers)


@pytest.mark.parametrize(
    ("host", "origin", "headers"),
    [
        ("evil.example.org", None, ()),
        ("evil.example.org:8321", "http://evil.example.org:8321", ()),
        ("localhost:8321", "http://evil.example.org", ()),
        ("localhost:8321", "http://localhost:3000", ()),
        ("localhost:8321", "http://127.0.0.1:8321", ()),
        ("localhost:8321", "null", ()),
        ("localhost:8321", "", ()),
        ("localhost:8321", "file://", ()),
        ("localhost:8321", "http://localhost:8321@evil.example.org", ()),
        ("localhost:8321", "http://localhost:8321/path", ()),
        ("localhost:99999", None, ()),
        ("127.0.0.1.evil.example.org", None, ()),
        ("localhost@evil.example.org", None, ()),
        ("localhost\r\nX: y", None, ()),
        ("", None, ()),
        (None, None, ()),
        ("localhost:8321", None, ("X-Forwarded-For",)),
        ("localhost:8321", None, ("forwarded",)),
        ("localhost:8321", None, ("X-Real-IP",)),
    ],
)
def test_what_others_have_a_browser_do_is_not(host: str | None, origin: str | None, headers: tuple[str, ...]) -> None:
    assert not is_local_request(host, origin, headers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc": OIDC | {"issuer": "http://id.example.org"}},
        {"oidc": OIDC | {"issuer": "https://user:pass@id.example.org"}},
        {"oidc": OIDC | {"issuer": "ftp://id.example.org"}},
        {"oidc": OIDC | {"issuer": "https://"}},
        {"oidc": OIDC | {"issuer": "https://id.example.org:99999"}},
        {"oidc": OIDC | {"issuer": "https://id.example.org\r\nX: y"}},
        {"oidc": OIDC | {"algorithms": ["HS256"]}},
        {"oidc": OIDC | {"algorithms": ["none"]}},
        {"oidc": OIDC | {"algorithms": []}},
        {"oidc": OIDC | {"leeway": 3600}},
        {"oidc": OIDC | {"client_id": ""}},
        {"key_rate": "fast"},
        {"key_rate": "0/minute"},
        {"workspace_rate": "1/fortnight"},
        {"key_days": 0},
        {"session_hours": 0},
        {"session_hours": 100, "session_most_hours": 99},
        {"session_hours": float("nan")},
        {"typo": 1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match="invalid settings: identity"):
        load_settings(identity=wrong)


def test_the_environment_can_say_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"ISSUER": "https://id.example.org", "CLIENT_ID": "console", "CLIENT_SECRET": SECRET, "AUDIENCE": "api"}
    for name, value in given.items():
        monkeypatch.setenv(f"UNDERSTUDY_IDENTITY__OIDC__{name}", value)
    monkeypatch.setenv("UNDERSTUDY_IDENTITY__KEY_RATE", "9/second")
    settings = load_settings()
    assert settings.identity.oidc is not None
    assert settings.identity.oidc.audiences == ("api",)
    assert settings.identity.key_rate == "9/second"
    monkeypatch.setenv("UNDERSTUDY_IDENTITY__OIDC__AUDIENCE", json.dumps(["api", "web"]))
    again = load_settings().identity.oidc
    assert again is not None
    assert again.audiences == ("api", "web")
    assert SECRET not in repr(settings)
    del os.environ["UNDERSTUDY_IDENTITY__OIDC__CLIENT_SECRET"]
    assert known_secrets(settings).text(f"it is {SECRET}") == "it is [secret]"


def test_tokens_are_meant_for_the_client_where_nothing_else_is_said() -> None:
    oidc = load_settings(identity={"oidc": OIDC}).identity.oidc
    assert oidc is not None
    assert oidc.audiences == ("console",)


def test_a_rate_is_read() -> None:
    assert rate_of("120/minute") == (120, 60)


def test_cookies_travel_over_https_except_on_this_machine() -> None:
    auto = IdentitySettings()
    assert [auto.has_secure_cookies(*where) for where in [("http", "localhost"), ("https", "localhost")]] == [
        False,
        True,
    ]
    assert auto.has_secure_cookies("http", "example.org")
    assert not IdentitySettings(secure_cookies=False).has_secure_cookies("https", "example.org")
    assert IdentitySettings(secure_cookies=True).has_secure_cookies("http", "localhost")
