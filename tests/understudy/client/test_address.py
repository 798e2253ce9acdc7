import pytest
from pydantic import SecretStr

from domain.errors import InsecureAddress, InvalidSettings
from understudy import Client
from understudy.client.address import checked_address
from understudy.settings import load_settings


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://understudy.example", "https://understudy.example/"),
        ("https://example.org:8443/team/", "https://example.org:8443/team/"),
        ("http://127.0.0.1:8321", "http://127.0.0.1:8321/"),
        ("http://[::1]:8321", "http://[::1]:8321/"),
        ("http://localhost", "http://localhost/"),
    ],
)
def test_addresses_that_can_be_used(url: str, read: str) -> None:
    assert str(checked_address(url)) == read


@pytest.mark.parametrize("host", ["example.org", "10.0.0.5", "localhost.example.org", "127.0.0.1.nip.io", "0.0.0.0"])
def test_nothing_goes_in_clear_over_a_network(host: str) -> None:
    with pytest.raises(InsecureAddress, match="in clear"):
        checked_address(f"http://{host}:8321")


@pytest.mark.parametrize(
    "url",
    ["", "understudy.example", "ftp://x", "https://", "https://u:pw-7@x", "https://x/?key=pw-7", "https://x:99999",
     "https://x/#pw-7"],
)  # fmt: skip
def test_what_names_no_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        checked_address(url)
    assert "pw-7" not in str(refused.value)


@pytest.mark.parametrize("key", ["", "has blank", "line\nbreak", "ключ"])
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        Client("https://x", key=SecretStr(key))
    assert not key or key not in str(refused.value)


def test_settings_without_a_server_make_no_client() -> None:
    with pytest.raises(InvalidSettings, match="UNDERSTUDY_SERVER_URL"):
        Client.of(load_settings())
