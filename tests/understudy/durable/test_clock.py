import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.durable.clock import BEAT_SECONDS, FILE, SteadyClock, boot_id, since_boot

DAY = 86_400.0
NOON = 1_700_000_000.0
KINDS = st.sampled_from(["wait", "jump", "boot", "restart"])
ROOT = Path(__file__).parents[3]


@dataclass
class Machine:
    """A machine whose wall clock can be set."""

    wall: float = NOON
    passed: float = 5000.0
    boot: str = "boot-1"

    def clock(self, folder: Path) -> SteadyClock:
        return SteadyClock(folder, wall=lambda: self.wall, passed=lambda: self.passed, boot=lambda: self.boot)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds

    def restart(self, *, off: float, boot: str) -> None:
        """Let it be off for a while, in which its wall clock goes on."""
        self.wall, self.passed, self.boot = self.wall + off, 10.0, boot


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_at_first_the_wall_clock_is_believed_and_then_time_passes(machine: Machine, tmp_path: Path) -> None:
    clock = machine.clock(tmp_path)
    assert clock() == NOON
    machine.wait(90)
    assert clock() == NOON + 90


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_jump_moves_neither_the_running_process_nor_the_next(jump: float, machine: Machine, tmp_path: Path) -> None:
    clock = machine.clock(tmp_path)
    machine.wall += jump
    machine.wait(60)
    assert clock() == NOON + 60
    assert machine.clock(tmp_path)() == NOON + 60


def test_processes_agree(machine: Machine, tmp_path: Path) -> None:
    first = machine.clock(tmp_path)
    machine.wait(10)
    machine.wall += DAY
    second = machine.clock(tmp_path)
    machine.wait(10)
    assert first() == second() == NOON + 20


def test_sleep_counts(machine: Machine, tmp_path: Path) -> None:
    clock = machine.clock(tmp_path)
    machine.wait(8 * 3600)
    assert clock() == NOON + 8 * 3600


def test_after_a_boot_the_wall_clock_is_believed(machine: Machine, tmp_path: Path) -> None:
    machine.clock(tmp_path)
    machine.restart(off=3600, boot="boot-2")
    assert machine.clock(tmp_path)() == NOON + 3600


def test_after_a_boot_it_is_never_earlier_than_what_was_seen(machine: Machine, tmp_path: Path) -> None:
    clock = machine.clock(tmp_path)
    machine.wait(BEAT_SECONDS)
    assert clock() == NOON + BEAT_SECONDS
    machine.restart(off=-DAY, boot="boot-2")
    later = machine.clock(tmp_path)
    assert later() == NOON + BEAT_SECONDS
    machine.wait(5)
    assert later() == NOON + BEAT_SECONDS + 5


def test_a_process_of_an_earlier_boot_does_not_write_over_a_later_anchor(machine: Machine, tmp_path: Path) -> None:
    old = machine.clock(tmp_path)
    later = Machine(boot="boot-2", passed=10.0, wall=NOON + DAY)
    later.clock(tmp_path)
    machine.wait(BEAT_SECONDS)
    old()
    assert json.loads((tmp_path / FILE).read_text())["boot"] == "boot-2"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"boot": "boot-1"}', '{"boot": "b", "passed": "x", "time": 1}'])
def test_a_damaged_file_is_made_anew(content: str, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    assert machine.clock(tmp_path)() == NOON
    assert json.loads((tmp_path / FILE).read_text())["time"] == NOON


def test_a_machine_that_does_not_name_its_boot_believes_the_wall_clock(machine: Machine, tmp_path: Path) -> None:
    machine.boot = ""
    machine.clock(tmp_path)
    machine.restart(off=100, boot="")
    assert machine.clock(tmp_path)() == NOON + 100


def test_a_disk_that_takes_nothing_does_not_stop_the_clock(machine: Machine, tmp_path: Path) -> None:
    clock = machine.clock(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    machine.wait(BEAT_SECONDS)
    assert clock() == NOON + BEAT_SECONDS


@settings(deadline=None)
@given(st.lists(st.tuples(KINDS, st.integers(-100_000, 100_000)), max_size=8))
def test_it_never_goes_back_and_within_a_boot_shows_what_passed(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int]]
) -> None:
    folder, machine = tmp_path_factory.mktemp("clock"), Machine()
    clock = machine.clock(folder)
    for number, (what, amount) in enumerate(events):
        before = clock()
        if what == "wait":
            machine.wait(abs(amount))
            assert clock() == pytest.approx(before + abs(amount))
        elif what == "jump":
            machine.wall += amount
            assert clock() == before
        elif what == "restart":
            clock = machine.clock(folder)
            assert clock() == pytest.approx(before)
        else:
            machine.restart(off=amount, boot=f"boot-{number + 2}")
            clock = machine.clock(folder)
            assert clock() >= before - BEAT_SECONDS


def test_real_processes_take_one_anchor(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from understudy.durable.clock import SteadyClock, since_boot\n"
        "clock = SteadyClock(Path(sys.argv[1]), wall=lambda: time.time() + float(sys.argv[2]))\n"
        "print(clock() - since_boot())"
    )
    jumps: list[float] = [0, DAY, -DAY, 5 * DAY]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(jump)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for jump in jumps
    ]  # fmt: skip
    offsets = []
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        offsets.append(float(out))
    assert max(offsets) - min(offsets) < 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names its boot")
def test_this_machine_names_its_boot_and_counts_on() -> None:
    assert boot_id()
    first = since_boot()
    assert 0 < first <= since_boot()
