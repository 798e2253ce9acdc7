import asyncio
from collections.abc import Iterator

import httpx
import pytest

from agents.tools.addresses import resolved
from agents.tools.declaration import ToolDeclaration
from agents.tools.http import GuardedTransport, guarded_client, secret_headers
from domain.errors import AddressNotAllowed, MalformedOutput, OutputTooLarge, ToolAway
from tests.agents.tools.web import Web, endless, web


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as opened:
        yield opened


def client(transport: GuardedTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport, follow_redirects=True, trust_env=False)


def private(*hosts: str, **more: object) -> GuardedTransport:
    return GuardedTransport(frozenset(hosts or {"127.0.0.1"}), allow_private=True, **more)  # type: ignore[arg-type]


async def test_a_page_on_this_machine_is_had_where_that_is_allowed(site: Web) -> None:
    site.write("/a", '{"b": 1}')
    async with client(private()) as http:
        assert (await http.get(f"{site.url}/a")).json() == {"b": 1}


async def test_this_machine_is_refused_by_default_and_nothing_is_sent(site: Web) -> None:
    async with client(GuardedTransport(frozenset({"127.0.0.1", "localhost"}))) as http:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1"):
            with pytest.raises((AddressNotAllowed, httpx.InvalidURL)):
                await http.get(f"http://{host}:{site.port}/a")
    assert site.asked == []


async def test_a_name_that_points_to_this_machine_is_refused(site: Web) -> None:
    async def lying(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with client(GuardedTransport(frozenset({"example.org"}), resolve=lying)) as http:
        with pytest.raises(AddressNotAllowed, match="private"):
            await http.get(f"http://example.org:{site.port}/a")
    assert site.asked == []


async def test_a_name_that_changes_after_the_check_changes_nothing(site: Web) -> None:
    """The address that was checked is the one that is connected to: the second answer is never asked for."""
    site.write("/a", "{}")
    answers = iter([["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    async with client(private("example.org", resolve=rebinding)) as http:
        assert (await http.get(f"http://example.org:{site.port}/a")).status_code == 200
    assert site.asked[0].headers["Host"] == f"example.org:{site.port}"


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://evil.example/", "file:///etc/passwd"],
)
async def test_a_redirect_leads_nowhere_else(site: Web, location: str) -> None:
    site.write("/a", "", status=302, Location=location)
    async with client(private("127.0.0.1", "169.254.169.254")) as http:
        with pytest.raises((AddressNotAllowed, httpx.UnsupportedProtocol)):
            await http.get(f"{site.url}/a")
    assert len(site.asked) == 1


async def test_a_host_on_the_list_that_is_in_a_private_network_is_refused() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    async with client(GuardedTransport(frozenset({"inside.example"}), resolve=resolve)) as http:
        with pytest.raises(AddressNotAllowed, match=r"10\.0\.0\.1"):
            await http.get("http://inside.example/")


async def test_a_redirect_to_another_port_does_not_get_the_secret(site: Web) -> None:
    with web() as other:
        other.write("/b", "{}")
        site.write("/a", "", status=307, Location=f"{other.url}/b")
        async with client(private(secrets={"X-Key": "hush"}, secrets_for=site.url)) as http:
            answer = await http.get(f"{site.url}/a")
        assert "X-Key" not in other.asked[0].headers
    assert site.asked[0].headers["X-Key"] == "hush"
    assert "hush" not in str(answer.request.headers) + str([r.request.headers for r in answer.history])


async def test_redirects_without_end_are_ended(site: Web) -> None:
    site.write("/a", "", status=302, Location="/a")
    tool = ToolDeclaration(name="t", origin="openapi", target=site.url, allow_private=True)
    async with guarded_client(tool, {}) as http:
        with pytest.raises(httpx.TooManyRedirects):
            await http.get(f"{site.url}/a", follow_redirects=True)


async def test_a_response_without_end_is_cut_off(site: Web) -> None:
    site.answers["/a"] = endless
    async with client(private(max_bytes=1_000_000)) as http:
        with pytest.raises(OutputTooLarge, match="1,000,000 bytes"):
            await asyncio.wait_for(http.get(f"{site.url}/a"), 10)


async def test_a_compressed_response_is_refused(site: Web) -> None:
    site.write("/a", "{}", Content_Encoding="gzip")
    async with client(private()) as http:
        with pytest.raises(MalformedOutput, match="compressed"):
            await http.get(f"{site.url}/a")
    assert site.asked[0].headers["Accept-Encoding"] == "identity"


async def test_no_connection_is_told_after_every_address_was_tried(site: Web) -> None:
    site.write("/a", "{}")

    async def two(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]

    async with client(private("example.org", resolve=two)) as http:
        assert (await http.get(f"http://example.org:{site.port}/a")).status_code == 200
        with pytest.raises(ToolAway, match="no connection to example.org"):
            await http.get("http://example.org:1/a")


async def test_localhost_is_resolved_by_the_system(site: Web) -> None:
    assert set(await resolved("localhost", site.port)) <= {"127.0.0.1", "::1"}


def test_secrets_come_from_the_environment_and_are_told_by_name_where_they_lack() -> None:
    secrets = {"Authorization": "TOKEN", "X-Key": "KEY"}
    tool = ToolDeclaration(name="t", origin="mcp", target="https://example.org/mcp", secrets=secrets)
    assert secret_headers(tool, {"TOKEN": "abc", "KEY": "def"}) == {"Authorization": "Bearer abc", "X-Key": "def"}
    assert secret_headers(tool, {"TOKEN": "Basic abc", "KEY": "d"})["Authorization"] == "Basic abc"
    with pytest.raises(ToolAway, match="needs the environment variable KEY$"):
        secret_headers(tool, {"TOKEN": "abc", "KEY": ""})
