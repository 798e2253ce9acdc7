"""Where a server is: what a client is told must not go in clear over a network."""

import ipaddress

import httpx

from domain.errors import InsecureAddress, InvalidSettings

_LAST_PORT = 65_535
_FORM = "write it as https://host[:port][/path]"


def checked_address(url: str) -> httpx.URL:
    """Return a server's address with a path that ends in a slash.

    Raises:
        InvalidSettings: It cannot be read; its text is not repeated, because it may hold a password.
        InsecureAddress: It is without TLS, and not on this machine.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidSettings(f"the server's URL cannot be read; {_FORM}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidSettings(f"the server's URL names no server; {_FORM}")
    if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
        raise InvalidSettings(f"the server's URL has a port that there is not; {_FORM}")
    if parsed.userinfo:
        raise InvalidSettings(f"the server's URL holds a user or a password; {_FORM}, and give the key as server_key")
    if parsed.query or parsed.fragment:
        raise InvalidSettings(f"the server's URL has a query or a fragment; {_FORM}")
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        msg = f"the key and what is asked would go to {parsed.host} in clear; use https, or a tunnel to this machine"
        raise InsecureAddress(msg)
    return parsed.copy_with(path=parsed.path.rstrip("/") + "/")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine; names other than `localhost` may lead anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
