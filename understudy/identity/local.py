"""What tells a request of the one person on this machine from one that somebody else has that person's browser make."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from understudy.identity.settings import is_loopback

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""Headers that proxies add. None is ever believed; that one is there means that somebody stands behind it."""
_PORTS = {"http": 80, "https": 443}


def is_local_request(host_header: str | None, origin: str | None, header_names: Iterable[str] = ()) -> bool:
    """Return whether a request without credentials may count as one of the person on this machine.

    A page on the web can give its own name the address 127.0.0.1 (DNS rebinding): its requests then name it in `Host`.
    It can also send to our address as it is: its requests then name it in `Origin`, as do those of another service of
    this machine, which has another port. And a proxy on this machine connects from it for everybody.

    Args:
        host_header: The header `Host`.
        origin: The header `Origin`.
        header_names: Names of all headers.
    """
    if any(name.lower() in FORWARDED for name in header_names):
        return False
    if origin is None:
        return _place("http", host_header or "") is not None
    scheme, _, authority = origin.partition("://")
    theirs = _place(scheme, authority)
    return theirs is not None and theirs == _place(scheme, host_header or "")


def _place(scheme: str, authority: str) -> tuple[str, int] | None:
    """Return host and port where they are of this machine, written as a browser writes them; else None."""
    if scheme not in _PORTS or any(char in authority for char in "/@?#\\") or not authority.isprintable():
        return None
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname or "", parts.port or _PORTS[scheme]
    except ValueError:
        return None
    return (host, port) if is_loopback(host) else None
