from pathlib import Path

from tests.forks import Forks
from tests.graph.crash_child import act


def killed_and_resumed(forks: Forks, folder: Path, plan: str) -> list[str]:
    """Kill a run in the middle of a step, carry it on in another process, and return what was noted."""
    with forks.start(act, folder, "start", plan) as first:
        assert first.stdout.readline() == "slow\n"
    with forks.start(act, folder, "resume", plan) as second:
        assert second.wait() == 0
    return (folder / "log").read_text().splitlines()


def test_finished_steps_effects_and_choices_survive_a_kill_and_happen_once(forks: Forks, tmp_path: Path) -> None:
    lines = killed_and_resumed(forks, tmp_path, "chain")
    assert lines == ["first by scribe", "saved a", "slow by scribe", "slow by scribe", "done"]


def test_finished_instances_of_a_loop_survive_a_kill_and_their_effects_happen_once(
    forks: Forks, tmp_path: Path
) -> None:
    saves = [f"saved {name}" for name in "abcd"]
    assert killed_and_resumed(forks, tmp_path, "foreach") == ["first by scribe", *saves, "done"]
