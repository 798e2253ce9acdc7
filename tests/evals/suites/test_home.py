import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import INVALID_PARAMS

from evals.suites.home import household
from evals.suites.home.household import Impossible, NoAnswer
from evals.suites.state_file import WORLD, NoWorld

HOUSE: dict[str, Any] = {
    "now": "21:40",
    "quiet_hours": ["22:00", "06:30"],
    "power_limit": 3000,
    "people": {"ana": "living_room"},
    "devices": {
        "tv": {"kind": "tv", "room": "living_room", "settings": {"power": "off", "volume": 20}, "watts": 120},
        "heater": {"kind": "thermostat", "room": "bath", "settings": {"celsius": 20, "mode": "eco"}, "watts": 2000},
        "car": {"kind": "appliance", "room": "garage", "settings": {"program": "off"}, "programs": {"10 A": 2300}},
        "door": {"kind": "lock", "room": "hall", "fails": 1, "settings": {"state": "unlocked"}},
        "porch": {"kind": "light", "room": "porch", "online": False, "settings": {"power": "off"}, "watts": 9},
    },
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "house.json"
    path.write_text(json.dumps(HOUSE))
    monkeypatch.setenv(WORLD, str(path))
    return path


def test_a_device_is_set_looked_into_and_put_back(house: Path) -> None:
    assert household.set_device("tv", "power", "on") == "tv: power is now on (it was off). The house draws 920 W."
    assert household.was_set("tv", "power", "on")
    assert "'off' again" in household.put_back("tv", "power", "on")
    assert not household.was_set("tv", "power", "on")
    assert json.loads(house.read_text())["devices"] == HOUSE["devices"]


def test_what_was_set_since_is_not_put_back(house: Path) -> None:
    household.set_device("tv", "volume", 30)
    household.set_device("tv", "volume", 10)
    with pytest.raises(Impossible, match="not set to 30 last"):
        household.put_back("tv", "volume", 30)


def test_the_power_limit_holds_and_less_power_is_always_allowed(house: Path) -> None:
    with pytest.raises(Impossible, match="3100 W; 3000 W are allowed"):
        household.run_appliance("car", "10 A")
    assert not household.was_started("car", "10 A")
    assert json.loads(house.read_text()) == HOUSE
    house.write_text(json.dumps(HOUSE | {"power_limit": 500}))
    household.set_device("heater", "mode", "off")


def test_a_device_that_fails_once_changes_nothing_and_then_works(house: Path) -> None:
    with pytest.raises(NoAnswer):
        household.secure("door", "locked")
    assert household.was_moved("door", "locked") is False
    household.secure("door", "locked")
    assert household.was_moved("door", "locked")
    household.put_back_moved("door", "locked")
    assert json.loads(house.read_text())["devices"]["door"]["settings"] == {"state": "unlocked"}


def test_what_only_secures_opens_nothing_and_no_setting_does_either(house: Path) -> None:
    with pytest.raises(Impossible, match="cannot be secured by 'unlocked'; it takes locked"):
        household.secure("door", "unlocked")
    with pytest.raises(Impossible, match="cannot be opened by 'locked'; it takes unlocked"):
        household.open_up("door", "locked")
    with pytest.raises(Impossible, match="it is secured, opened or run"):
        household.set_device("door", "state", "unlocked")
    assert json.loads(house.read_text()) == HOUSE


@pytest.mark.parametrize(
    ("device", "setting", "value", "message"),
    [
        ("toaster", "power", "on", "no device 'toaster'"),
        ("porch", "power", "on", "cannot be reached"),
        ("tv", "colour", "red", "no setting 'colour'"),
        ("tv", "power", "yes", "on or off"),
        ("tv", "volume", 101, "0 to 100"),
        ("tv", "volume", True, "0 to 100"),
        ("tv", "volume", float("nan"), "0 to 100"),
        ("heater", "mode", "tropical", "off or eco or comfort"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    house: Path, device: str, setting: str, value: Any, message: str
) -> None:
    with pytest.raises(Impossible, match=message):
        household.set_device(device, setting, value)
    assert json.loads(house.read_text()) == HOUSE


@pytest.mark.parametrize(("now", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:30", False)])
def test_quiet_hours_pass_midnight(house: Path, now: str, quiet: bool) -> None:
    house.write_text(json.dumps(HOUSE | {"now": now}))
    assert household.circumstances()["is_quiet"] is quiet


def test_who_is_where_is_told_by_nothing_but_its_own_tool(house: Path) -> None:
    assert household.people() == {"ana": "living_room"}
    assert "ana" not in json.dumps([household.circumstances(), household.devices()])


def test_without_a_world_nothing_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORLD, raising=False)
    with pytest.raises(NoWorld, match=WORLD):
        household.devices()


async def test_the_server_tells_a_refusal_from_a_device_that_does_not_answer(house: Path) -> None:
    here = StdioServerParameters(
        command=sys.executable, args=["-m", "evals.suites.home.server"], env={WORLD: str(house)}
    )
    async with stdio_client(here) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        names = {tool.name for tool in (await session.list_tools()).tools}
        changed = await session.call_tool("set_device", {"device": "tv", "setting": "volume", "value": 15})
        silent = await session.call_tool("secure", {"device": "door", "to": "locked"})
        with pytest.raises(McpError, match="it is offline") as refused:
            await session.call_tool("set_device", {"device": "porch", "setting": "power", "value": "on"})
        with pytest.raises(McpError) as unfit:
            await session.call_tool("secure", {"device": "door"})
    assert names == {
        "list_devices", "read_circumstances", "find_people", "set_device", "secure", "open_up", "run_appliance"
    }  # fmt: skip
    assert (changed.isError, silent.isError) == (False, True)
    assert refused.value.error.code == unfit.value.error.code == INVALID_PARAMS
    assert household.devices("living_room")[0]["settings"]["volume"] == 15
