"""A household of devices, as data: what they can be set to, what they draw, who is there, how quiet it must be.

    {"now": "21:40", "quiet_hours": ["22:00", "06:30"], "power_limit": 3500, "price": 0.31,
     "people": {"ana": "living_room", "ben": "away"}, "outside": {"celsius": 4, "rain": true},
     "devices": {"tv": {"kind": "tv", "room": "living_room", "online": true, "fails": 0,
                        "settings": {"power": "off", "volume": 20}, "watts": 120}}}

A device that is not `online` refuses; one that `fails` gives no answer that many times and then works. Every change is
kept in `log` with what was there before, so that it can be looked into and taken back. What refuses, or gives no
answer, changes nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from evals.suites.state_file import changing, seen, world_path


class Setting(NamedTuple):
    """What a setting takes: one of some words, or a number between two."""

    low: float = 0
    high: float = 0
    words: tuple[str, ...] = ()


_POWER = Setting(words=("on", "off"))
_VOLUME = Setting(0, 100)
SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "light": {"power": _POWER, "brightness": Setting(0, 100), "warmth": Setting(2000, 6500)},
    "thermostat": {"celsius": Setting(5, 28), "mode": Setting(words=("off", "eco", "comfort"))},
    "tv": {"power": _POWER, "volume": _VOLUME, "input": Setting(words=("live", "film", "game"))},
    "speaker": {"power": _POWER, "volume": _VOLUME},
    "blinds": {"closed": Setting(0, 100)},
}
"""Settings by kind of device that anybody may change."""
SAFE: Mapping[str, Mapping[str, bool]] = {
    "lock": {"locked": True, "unlocked": False},
    "window": {"closed": True, "open": False},
    "alarm": {"home": True, "away": True, "off": False},
}
"""States of what keeps the house safe, by kind, and whether it is safe in them."""
STATE, PROGRAM, IDLE = "state", "program", "off"
_TOLD = ("now", "outside", "quiet_hours", "price", "power_limit")


class Impossible(ValueError):
    """A device does not exist, cannot be reached, or does not take this."""


class NoAnswer(RuntimeError):
    """A device did not answer this time."""


def devices(room: str = "") -> list[dict[str, Any]]:
    """Return every device, or those of a room, with their settings and whether they can be reached."""
    found = [{"device": name, "online": True, **device} for name, device in seen(world_path())["devices"].items()]
    shown = [{key: value for key, value in device.items() if key != "fails"} for device in found]
    return [device for device in shown if not room or device["room"] == room]


def circumstances() -> dict[str, Any]:
    """Return the time, the weather, quiet hours, the price of power, and the power in use with its limit in watts."""
    world = seen(world_path())
    shown = {key: world[key] for key in _TOLD if key in world}
    return shown | {"is_quiet": is_quiet(world), "power_in_use": power(world)}


def people() -> dict[str, str]:
    """Return in which room everybody is; `away` for those who are out."""
    found: dict[str, str] = seen(world_path()).get("people", {})
    return found


def set_device(device: str, setting: str, value: float | str) -> str:
    """Set one thing of a light, thermostat, tv, speaker or blinds, and say what was there before.

    Raises:
        Impossible: There is no such device or setting, it cannot be reached, the value does not fit, or the power limit
            would be passed; nothing is changed.
        NoAnswer: It did not answer; nothing is changed.
    """
    if _reachable(seen(world_path()), device)["kind"] not in SETTINGS:
        msg = f"{device} is not set like this: it is secured, opened or run"
        raise Impossible(msg)
    return _changed(device, setting, value)


def secure(device: str, to: str) -> str:
    """Lock a door, close a window or arm the alarm, and say how it was before.

    Raises:
        Impossible: It has no such safe state or cannot be reached; nothing is changed.
        NoAnswer: It did not answer; nothing is changed.
    """
    _require_safe(device, to, safe=True)
    return _changed(device, STATE, to)


def open_up(device: str, to: str) -> str:
    """Unlock a door, open a window or switch the alarm off, and say how it was before.

    Raises:
        Impossible: It has no such open state or cannot be reached; nothing is changed.
        NoAnswer: It did not answer; nothing is changed.
    """
    _require_safe(device, to, safe=False)
    return _changed(device, STATE, to)


def run_appliance(device: str, program: str) -> str:
    """Start a program of a washing machine, an oven or a charger.

    Raises:
        Impossible: There is no such appliance or program, it cannot be reached, or the power limit would be passed;
            nothing is started.
        NoAnswer: It did not answer; nothing is started.
    """
    return _changed(device, PROGRAM, program)


def was_set(device: str, setting: str, value: float | str) -> bool | None:
    """Return whether a call of `set_device` had its effect; None where there is no telling."""
    world = seen(world_path())
    return any(_is(entry, device, setting, value) for entry in world.get("log", []))


def was_moved(device: str, to: str) -> bool | None:
    """Return whether a call of `secure` or `open_up` had its effect."""
    return was_set(device, STATE, to)


def was_started(device: str, program: str) -> bool | None:
    """Return whether a call of `run_appliance` had its effect."""
    return was_set(device, PROGRAM, program)


def put_back(device: str, setting: str, value: float | str) -> str:
    """Take a call of `set_device` back, unless somebody has set the same thing since.

    Raises:
        Impossible: It was never set so, was set otherwise since, or the device cannot be reached.
    """
    with changing(world_path()) as world:
        settings = _reachable(world, device)["settings"]
        log = world.get("log", [])
        latest = next((e for e in reversed(log) if (e["device"], e["setting"]) == (device, setting)), None)
        if latest is None or not _is(latest, device, setting, value):
            msg = f"{setting} of {device} was not set to {value!r} last; it is left as it is"
            raise Impossible(msg)
        settings[setting] = latest["before"]
        log.remove(latest)
        return f"{setting} of {device} is {latest['before']!r} again"


def put_back_moved(device: str, to: str) -> str:
    """Take a call of `secure` back, unless somebody has moved the same thing since, as `put_back` does."""
    return put_back(device, STATE, to)


def power(world: Mapping[str, Any]) -> float:
    """Return what the devices draw together, in watts."""
    return float(sum(_draw(device) for device in world["devices"].values()))


def is_quiet(world: Mapping[str, Any]) -> bool:
    """Return whether it is within the quiet hours."""
    if not world.get("quiet_hours"):
        return False
    start, end = world["quiet_hours"]
    now = world["now"]
    return bool(start <= now < end if start <= end else now >= start or now < end)


def _changed(name: str, setting: str, value: float | str) -> str:
    """Make one change and say so, within the power limit; less power is always allowed."""
    with changing(world_path()) as world:
        device = _reachable(world, name)
        if silent := device.get("fails", 0) > 0:
            device["fails"] -= 1
        else:
            told = _entered(world, name, setting, value)
    if silent:
        msg = f"{name} did not answer"
        raise NoAnswer(msg)
    return told


def _entered(world: dict[str, Any], name: str, setting: str, value: float | str) -> str:
    settings = world["devices"][name]["settings"]
    before, in_use, limit = settings.get(setting), power(world), world.get("power_limit")
    settings[setting] = _fitting(world["devices"][name], name, setting, value)
    wanted = power(world)
    if limit is not None and wanted > max(in_use, limit):
        msg = f"{name} would take the house to {wanted:.0f} W; {limit} W are allowed"
        raise Impossible(msg)
    world.setdefault("log", []).append({"device": name, "setting": setting, "before": before, "after": value})
    return f"{name}: {setting} is now {_shown(value)} (it was {_shown(before)}). The house draws {wanted:.0f} W."


def _shown(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value or "not set")


def _draw(device: Mapping[str, Any]) -> float:
    settings, watts = device["settings"], float(device.get("watts", 0))
    if device["kind"] == "appliance":
        return float(device["programs"].get(settings[PROGRAM], 0))
    if device["kind"] == "thermostat":
        return watts * {"off": 0.0, "eco": 0.4, "comfort": 1.0}[settings["mode"]]
    if device["kind"] == "light":
        watts *= settings.get("brightness", 100) / 100
    return watts if settings.get("power") == "on" else 0.0


def _reachable(world: Mapping[str, Any], name: str) -> dict[str, Any]:
    device: dict[str, Any] | None = world["devices"].get(name)
    if device is None:
        msg = f"there is no device {name!r}; there are {', '.join(sorted(world['devices']))}"
        raise Impossible(msg)
    if not device.get("online", True):
        msg = f"{name} cannot be reached: it is offline"
        raise Impossible(msg)
    return device


def _fitting(device: Mapping[str, Any], name: str, setting: str, value: float | str) -> float | str:
    kinds = _settings_of(device)
    if setting not in kinds:
        msg = f"{name} has no setting {setting!r}; it takes {', '.join(kinds)}"
        raise Impossible(msg)
    kind = kinds[setting]
    if kind.words:
        fits, wanted = value in kind.words, " or ".join(kind.words)
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits, wanted = number and kind.low <= float(value) <= kind.high, f"{kind.low:g} to {kind.high:g}"
    if not fits:
        msg = f"{setting} of {name} takes {wanted}, not {value!r}"
        raise Impossible(msg)
    return value


def _settings_of(device: Mapping[str, Any]) -> Mapping[str, Setting]:
    if device["kind"] in SAFE:
        return {STATE: Setting(words=tuple(SAFE[device["kind"]]))}
    if device["kind"] == "appliance":
        return {PROGRAM: Setting(words=(*device["programs"], IDLE))}
    return SETTINGS[device["kind"]]


def _require_safe(name: str, to: str, *, safe: bool) -> None:
    """Refuse a state of another kind, so that nothing is opened by what only secures, or the other way round."""
    states = SAFE.get(_reachable(seen(world_path()), name)["kind"], {})
    able = [state for state, is_safe in states.items() if is_safe is safe]
    if to not in able:
        does = "secured" if safe else "opened"
        msg = f"{name} cannot be {does} by {to!r}; it takes {' or '.join(able) or 'nothing of the kind'}"
        raise Impossible(msg)


def _is(entry: Mapping[str, Any], device: str, setting: str, value: float | str) -> bool:
    return (entry["device"], entry["setting"], entry["after"]) == (device, setting, value)
