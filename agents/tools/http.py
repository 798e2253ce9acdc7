"""HTTP to the hosts a tool may call and to nobody else, in bounded size.

A host name is resolved once per request; what was resolved is checked and is what the connection is made to, so the
name cannot point elsewhere between check and connection (DNS rebinding). Redirects are requests like any other.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import httpx

from agents.tools.addresses import Resolve, checked_addresses, resolved
from agents.tools.declaration import ToolDeclaration
from domain.errors import AddressNotAllowed, MalformedOutput, OutputTooLarge, ToolAway, ToolCrashed, ToolError

MAX_BYTES = 5_000_000
"""That one response may have."""
MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
OnFault = Callable[[httpx.Request, Exception], None]


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks where each request goes, pins the address, adds secrets for one origin only, and bounds the response."""

    def __init__(
        self,
        hosts: frozenset[str],
        *,
        allow_private: bool = False,
        secrets: Mapping[str, str] | None = None,
        secrets_for: str = "",
        resolve: Resolve = resolved,
        max_bytes: int = MAX_BYTES,
        on_fault: OnFault | None = None,
    ) -> None:
        """Set up the guard.

        Args:
            hosts: That may be called, in lower case.
            allow_private: Whether their addresses may be private.
            secrets: Headers that only requests to `secrets_for` get; no redirect carries them elsewhere.
            secrets_for: A URL; its scheme, host and port count.
            resolve: Returns the addresses of a host.
            max_bytes: That the body of a response may have.
            on_fault: Told of every request that fails, for users whose client library keeps that to itself.
        """
        self._hosts, self._allow_private, self._resolve, self._max_bytes = hosts, allow_private, resolve, max_bytes
        self._secrets, self._secret_origin = dict(secrets or {}), _origin(httpx.URL(secrets_for))
        self._on_fault = on_fault
        self._tls = ssl.create_default_context()
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}
        """By host name, because a connection that was proven to be one host's must not serve another at its address."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to a checked address.

        Raises:
            AddressNotAllowed: The host is not on the list, or its address must not be called; nothing was sent.
            ToolAway: There is no connection to it; nothing was sent.
        """
        with self._telling(request):
            response = self._bounded(request, await self._answered(request))
        if self._on_fault and response.is_error and response.status_code != httpx.codes.NOT_FOUND:
            self._on_fault(request, _status_error(response.status_code))
        return response

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = url.host.lower()
        if url.scheme not in ("http", "https") or host not in self._hosts:
            msg = f"{url.scheme}://{host:.100} is not a host that this tool may call"
            raise AddressNotAllowed(msg)
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = checked_addresses(host, await self._resolve(host, port), allow_private=self._allow_private)
        return await self._sent(request, host, addresses)

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            await transport.aclose()

    async def _sent(self, request: httpx.Request, host: str, addresses: list[str]) -> httpx.Response:
        if host not in self._transports:
            self._transports[host] = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        for address in addresses:
            try:
                return await self._transports[host].handle_async_request(self._pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        msg = f"there is no connection to {host:.100}: {failure}"
        raise ToolAway(msg) from failure

    def _pinned(self, request: httpx.Request, host: str, address: str) -> httpx.Request:
        """Return the request to one address; the host's name stays in its header and in the certificate check."""
        headers = request.headers.copy()
        if _origin(request.url) == self._secret_origin:
            headers.update(self._secrets)
        headers["Accept-Encoding"] = "identity"  # a small compressed body can hold a very large one
        extensions = request.extensions | {"sni_hostname": host}
        url = request.url.copy_with(host=address.partition("%")[0])
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)

    @contextmanager
    def _telling(self, request: httpx.Request) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, ToolError) as error:
            if self._on_fault:
                self._on_fault(request, error)
            raise

    def _bounded(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            msg = "the response is compressed, which was not asked for"
            raise MalformedOutput(msg)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Bounded(response.stream, self._max_bytes, self._telling(request))
        return response


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, limit: int, telling: AbstractContextManager[None]) -> None:
        self._stream, self._limit, self._telling = stream, limit, telling

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        with self._telling:
            async for chunk in self._stream:
                left -= len(chunk)
                if left < 0:
                    msg = f"the response has more than {self._limit:,} bytes"
                    raise OutputTooLarge(msg)
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _status_error(status: int) -> ToolError:
    message = f"the server answered with status {status}"
    return ToolCrashed(message) if status >= 500 else ToolAway(message)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower(), url.port


def guarded_client(
    tool: ToolDeclaration,
    environment: Mapping[str, str],
    *,
    base: str = "",
    timeout: httpx.Timeout | None = None,
    on_fault: OnFault | None = None,
) -> httpx.AsyncClient:
    """Return a client for the hosts of a tool; the environment and its proxies have no say in where it connects.

    Args:
        tool: Says which hosts, and which secrets.
        environment: Where the secrets are.
        base: The origin that gets the secrets; empty: that of the tool's target.
        timeout: None: the tool's.
        on_fault: Told of every request that fails.

    Raises:
        ToolAway: An environment variable that holds a secret is not set.
    """
    transport = GuardedTransport(
        tool.hosts,
        allow_private=tool.allow_private,
        secrets=secret_headers(tool, environment),
        secrets_for=base or tool.target,
        on_fault=on_fault,
    )
    limit = timeout or httpx.Timeout(tool.timeout, connect=min(CONNECT_SECONDS, tool.timeout))
    return httpx.AsyncClient(transport=transport, timeout=limit, trust_env=False, max_redirects=MAX_REDIRECTS)


def secret_headers(tool: ToolDeclaration, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers whose values are in the environment, or raise `ToolAway` naming those that are not."""
    values = secret_values(tool, environment)
    return {name: _scheme(name, value) for name, value in values.items()}


def _scheme(header: str, value: str) -> str:
    return f"Bearer {value}" if header.lower() == "authorization" and " " not in value else value


def secret_values(tool: ToolDeclaration, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the tool's secrets by what they are called there, or raise `ToolAway` naming those that are not set."""
    missing = sorted({variable for variable in tool.secrets.values() if not environment.get(variable)})
    if missing:
        msg = f"{tool.name} needs the environment variable {', '.join(missing)}"
        raise ToolAway(msg)
    return {name: environment[variable].strip() for name, variable in tool.secrets.items()}
