import pytest

from agents.tools.addresses import checked_addresses, forbidden, resolved
from domain.errors import AddressNotAllowed, ToolAway

NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "fd00:ec2::254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "100.100.100.200", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
]  # fmt: skip
PRIVATE = ["127.0.0.1", "127.8.8.8", "::1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "fd12::1", "100.64.0.1"]
PRIVATE_INSIDE = ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"]


@pytest.mark.parametrize("address", NEVER)
def test_link_local_addresses_are_never_called(address: str) -> None:
    assert forbidden(address, allow_private=True)


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_INSIDE])
def test_private_addresses_are_called_where_that_is_allowed(address: str) -> None:
    assert forbidden(address, allow_private=False)
    assert not forbidden(address, allow_private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert not forbidden(address, allow_private=False)


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(AddressNotAllowed, match=r"10\.0\.0\.1, which is private"):
        checked_addresses("example.org", ["8.8.8.8", "10.0.0.1"], allow_private=False)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, "a..b"])
async def test_a_host_that_is_not_there_is_away(host: str) -> None:
    with pytest.raises(ToolAway):
        await resolved(host, 80)
