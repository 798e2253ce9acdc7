"""Which addresses may be called: public ones, and private ones where a tool says so. Never link-local ones."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from domain.errors import AddressNotAllowed, ToolAway

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host as text."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
_METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200")))
"""Where cloud providers hand out credentials; partly in private ranges."""


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system resolves it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {host!r:.100} cannot be found: {error}"
        raise ToolAway(msg) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def checked_addresses(host: str, addresses: list[str], *, allow_private: bool) -> list[str]:
    """Return the addresses of a host, or raise `AddressNotAllowed` where one of them must not be called.

    One bad address is enough, since a name that points to both public and private hosts is an attack or a mistake.
    """
    for address in addresses:
        why = forbidden(address, allow_private=allow_private)
        if why:
            msg = f"{host!r:.100} has the address {address}, which is {why}"
            raise AddressNotAllowed(msg)
    if not addresses:
        msg = f"the host {host!r:.100} has no address"
        raise ToolAway(msg)
    return addresses


def forbidden(address: str, *, allow_private: bool) -> str:
    """Return why an address must not be called, in words; empty where it may be."""
    given = ipaddress.ip_address(address.partition("%")[0])
    return next(filter(None, (_forbidden(each, allow_private) for each in (given, *_inside(given)))), "")


def _inside(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address carries and that it may be translated to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    teredo = address.teredo[1] if address.teredo else None
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [carried for carried in (address.ipv4_mapped, address.sixtofour, teredo, nat64) if carried]


def _forbidden(address: Address, allow_private: bool) -> str:
    if address.is_link_local or address in _METADATA:
        return "link-local: such addresses hand out credentials of the machine"
    if address.is_multicast or address.is_unspecified:
        return "not the address of one host"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return ""  # what it carries decides
    if address.is_loopback or address.is_private or address in _SHARED:
        return "" if allow_private else "private: it lies on this machine or in its own network"
    return "" if address.is_global else "reserved"
