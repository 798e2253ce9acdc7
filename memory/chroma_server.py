"""Chroma as a server of its own, which several processes may share.

Its HTTP interface has let callers run code on it (CVE-2026-45829), so it belongs on this machine or in a private
network: a server at a public address is refused, and there is no setting that allows it.
"""

import ipaddress
import json
import socket
import uuid
from collections.abc import Collection as Several
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from domain.errors import InvalidSettings, PublicAddress, StorageAway, StorageError, StorageFull
from memory.chroma import COSINE, IndexDamaged, measures_cosines
from memory.records import Records

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ServerAPI
    from chromadb.api.models.Collection import Collection

CONNECT_SECONDS = 2.0
CALL_SECONDS = 10.0
"""Silence after which the server counts as away."""
_URL = "write it as http://host:port or https://host:port"


OWNER = "memory:records_id"


async def name_of(records: Records) -> str:
    """Return a name that these records alone have, wherever they are opened; it is drawn at the first call."""
    drawn = {"id": uuid.uuid4().hex}
    if await records.compare_and_set(OWNER, None, drawn):
        return drawn["id"]
    return str((await records.get(OWNER) or drawn)["id"])


class ChromaServer:
    """Implements `memory.chroma.Chroma` on a server. Making one reads the URL; `connect` looks the address up."""

    def __init__(self, url: str, token: SecretStr | None = None) -> None:
        """Note where the server is.

        Args:
            url: `http://host:port`, or `https://host:port` with a certificate that this machine trusts.
            token: Sent with every request, as `Authorization: Bearer` and as `X-Chroma-Token`, to the server or to
                the proxy before it that asks for one.

        Raises:
            InvalidSettings: The URL cannot be read; its text is not repeated, because it may hold a password.
        """
        self._scheme, self._host, self._port = _parsed(url)
        self._token = token
        self.place = f"Chroma at {_netloc(self._host, self._port)}"
        self._api: ServerAPI | None = None

    @property
    def foreign(self) -> tuple[type[Exception], ...]:
        """What its use may raise."""
        import httpx
        from chromadb.errors import ChromaError

        return (ChromaError, httpx.TransportError, json.JSONDecodeError)

    def translated(self, error: Exception) -> StorageError:
        """Return a foreign error as one of ours."""
        import httpx

        if isinstance(error, httpx.TransportError):
            return StorageAway(f"{self.place} is away ({self._told(error)})")
        if isinstance(error, json.JSONDecodeError):
            return StorageError(f"{self.place} does not answer as Chroma does; correct UNDERSTUDY_CHROMA_URL")
        if "disk is full" in str(error):
            return StorageFull(f"no space is left on the device of {self.place}; free some and try again")
        return IndexDamaged(f"the index of {self.place} is damaged: {self._told(error)}")

    def connect(self) -> None:
        """Look the address up and ask the server whether it is there.

        Raises:
            PublicAddress: The server's name leads to an address that is neither loopback nor private.
            StorageAway: The name leads nowhere, or nobody answers.
            StorageError: The token is refused, or something else answers there.
        """
        from chromadb.api import ServerAPI
        from chromadb.config import Settings, System

        self.disconnect()
        address = self._private_address()
        # Plain HTTP goes to the address that was checked, so that the name cannot lead elsewhere at the next look-up;
        # TLS needs the name, and its certificate vouches for who answers.
        netloc = _netloc(address if self._scheme == "http" else self._host, self._port)
        settings = Settings(
            anonymized_telemetry=False,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=f"{self._scheme}://{netloc}",
            chroma_server_http_port=self._port,
            chroma_server_headers=self._headers(),
        )
        # Not `chromadb.HttpClient`: it would ask the server before a time-out can be set, and take a proxy's settings
        # from the environment, through which the vectors would leave the private network.
        api: Any = System(settings).instance(ServerAPI)  # type: ignore[type-abstract]  # the settings name the class
        api._session = self._bounded(api._session)
        self._api = api
        api.heartbeat()

    def ping(self) -> None:
        """Ask the server whether it is there."""
        self._open().heartbeat()

    def collection(self, name: str) -> "Collection":
        """Return a collection; one that measures another distance is replaced by an empty one."""
        from chromadb.api.models.Collection import Collection

        create = partial(self._open().get_or_create_collection, name, configuration=COSINE)
        collection = Collection(client=self._open(), model=create(), embedding_function=None)
        if not measures_cosines(collection):
            self._open().delete_collection(name)
            collection = Collection(client=self._open(), model=create(), embedding_function=None)
        return collection

    def beginning(self, prefix: str) -> "list[Collection]":
        """Return the collections whose names begin so."""
        from chromadb.api.models.Collection import Collection

        found = [model for model in self._open().list_collections() if model.name.startswith(prefix)]
        return [Collection(client=self._open(), model=model, embedding_function=None) for model in found]

    def purge(self) -> None:
        """Return: a server gets nothing but ids and vectors, and its memory holds no text of ours."""

    def begin_anew(self, held: "Several[Collection]") -> None:
        """Delete the collections that are held; one that somebody has made anew under the same name is left alone."""
        self.connect()
        for collection in held:
            if collection.id in {found.id for found in self.beginning(collection.name)}:
                self._open().delete_collection(collection.name)

    def disconnect(self) -> None:
        """Close the connections; a second call changes nothing."""
        api: Any = self._api
        if api is not None:
            api._session.close()
            self._api = None

    def _open(self) -> "ServerAPI":
        if self._api is None:
            self.connect()
        assert self._api is not None
        return self._api

    def _headers(self) -> dict[str, str]:
        headers = {"Host": _netloc(self._host, self._port)}
        if self._token is None:
            return headers
        secret = self._token.get_secret_value()
        return headers | {"Authorization": f"Bearer {secret}", "X-Chroma-Token": secret}

    def _bounded(self, session: "httpx.Client") -> "httpx.Client":
        """Return the session with time-outs, without the environment's proxies, and with our reading of a refusal."""
        import httpx

        session.close()
        return httpx.Client(
            headers=session.headers,
            timeout=httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            event_hooks={"response": [self._check]},
        )

    def _check(self, response: "httpx.Response") -> None:
        """Raise for an answer that is an error and not one that Chroma's client knows."""
        if response.is_success:
            return
        match response.status_code:
            case 401 | 403:
                raise StorageError(f"{self.place} refuses the token; correct UNDERSTUDY_CHROMA_TOKEN")
            case 408 | 429 | 502 | 503 | 504:
                raise StorageAway(f"{self.place} is away (HTTP {response.status_code})")
        response.read()
        if not _is_chromas(response.text):
            raise StorageError(
                f"{self.place} does not answer as Chroma does (HTTP {response.status_code}); "
                "correct UNDERSTUDY_CHROMA_URL"
            )

    def _private_address(self) -> str:
        """Return an address of the server, all of which are loopback or private."""
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise StorageAway(f"{self.place} is away (its name leads nowhere: {error.strerror or error})") from error
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if not _is_private(address):
                raise PublicAddress(
                    f"{self.place} is at {address}, which is neither this machine nor a private network; "
                    "Chroma must never be exposed: reach it through loopback or a private address"
                )
        return addresses[0]

    def _told(self, error: Exception) -> str:
        """Return an error's text without the token."""
        text = str(error) or type(error).__name__
        return text.replace(self._token.get_secret_value(), "***") if self._token else text


def _parsed(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port, or raise `InvalidSettings`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.scheme not in ("http", "https"):
        msg = f"the Chroma URL cannot be read; {_URL}"
        raise InvalidSettings(msg)
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        msg = f"the Chroma URL has more than a host and a port; {_URL}, and give a token as UNDERSTUDY_CHROMA_TOKEN"
        raise InvalidSettings(msg)
    return parts.scheme, host, port


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_private(address: str) -> bool:
    """Return whether an address is loopback or of a private network; link-local ones belong to the network's owner."""
    found = ipaddress.ip_address(address.split("%")[0])
    ip = getattr(found, "ipv4_mapped", None) or found
    return ip.is_loopback or (ip.is_private and not (ip.is_link_local or ip.is_unspecified or ip.is_reserved))


def _is_chromas(body: str) -> bool:
    """Return whether the body of an error is one that Chroma's client turns into an error of its own."""
    from chromadb.errors import error_types

    try:
        value = json.loads(body)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("error") in error_types
