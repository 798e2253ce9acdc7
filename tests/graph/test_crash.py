import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def child(folder: Path, how: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.graph.crash_child", str(folder), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_finished_steps_and_effects_survive_a_kill_and_happen_once(tmp_path: Path) -> None:
    with child(tmp_path, "start") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "slow\n"
        first.kill()
    with child(tmp_path, "resume") as second:
        assert second.wait(60) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == ["first", "saved a", "slow", "slow", "done"]
