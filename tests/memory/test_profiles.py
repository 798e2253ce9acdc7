import pytest

from domain.errors import InvalidWorkspace
from memory.profiles import Profile, Profiles
from memory.provenance import Provenance
from tests.memory.conftest import House, OpenHouse

ANN = Provenance(writer="person", user="ann")


async def test_a_profile_survives_and_grows(reopen: OpenHouse) -> None:
    profile = Profile(brand_voice={"tone": "calm"}, target_profiles=[{"name": "teachers", "age": 40}])
    await Profiles((await reopen()).records).put("acme", profile)
    profiles = Profiles((await reopen()).records)
    await profiles.prefer("acme", {"length": "short"}, ANN)
    found = await profiles.prefer("acme", {"length": "long", "language": "de"}, ANN)
    assert found == await profiles.get("acme")
    assert found.preferences == {"length": "long", "language": "de"}
    assert (found.brand_voice, found.provenance) == ({"tone": "calm"}, ANN)


async def test_workspaces_have_profiles_of_their_own(house: House) -> None:
    profiles = Profiles(house.records)
    await profiles.prefer("acme", {"secret": "canary-77"}, ANN)
    assert [await profiles.get(other) for other in ("other", "acm", "ACME")] == [Profile()] * 3
    assert await profiles.forget("other") is False
    with pytest.raises(InvalidWorkspace):
        await profiles.get("a:b")


async def test_a_forgotten_profile_leaves_no_byte(house: House) -> None:
    profiles = Profiles(house.records)
    await profiles.prefer("acme", {"secret": "canary-77"}, ANN)
    assert await profiles.forget("acme") is True
    assert b"canary-77" not in house.bytes_of_files()
