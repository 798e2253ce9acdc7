import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def child(folder: Path, how: str, plan: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.graph.crash_child", str(folder), how, plan]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_and_resumed(folder: Path, plan: str) -> list[str]:
    """Kill a run in the middle of a step, carry it on in another process, and return what was noted."""
    with child(folder, "start", plan) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "slow\n"
        first.kill()
    with child(folder, "resume", plan) as second:
        assert second.wait(60) == 0
    return (folder / "log").read_text().splitlines()


def test_finished_steps_effects_and_choices_survive_a_kill_and_happen_once(tmp_path: Path) -> None:
    lines = killed_and_resumed(tmp_path, "chain")
    assert lines == ["first by scribe", "saved a", "slow by scribe", "slow by scribe", "done"]


def test_finished_instances_of_a_loop_survive_a_kill_and_their_effects_happen_once(tmp_path: Path) -> None:
    saves = [f"saved {name}" for name in "abcd"]
    assert killed_and_resumed(tmp_path, "foreach") == ["first by scribe", *saves, "done"]
