"""The workbenches of a process: one for each pair of folders, policy and clearance, made when it is first wanted."""

from collections.abc import Iterable
from pathlib import Path

from agents.privacy_policy import PrivacyPolicy
from agents.tools.workbench import Workbench
from domain.plans import Privacy
from domain.privacy import CLASSES, covers

_Key = tuple[Path | None, Path | None, PrivacyPolicy, Privacy | None]


class Benches:
    """Makes workbenches and keeps them, since each holds an index of its documents."""

    def __init__(self) -> None:
        self._benches: dict[_Key, Workbench] = {}

    def of(
        self, data: Path | None, out: Path | None, policy: PrivacyPolicy, clearance: Privacy | None = None
    ) -> Workbench:
        """Return the workbench for folders; with a clearance the one that lacks the files which need more."""
        key = data, out, policy, clearance
        if key not in self._benches:
            self._benches[key] = Workbench(data, out, policy, clearance=clearance)
        return self._benches[key]

    def close(self) -> None:
        """Give the memory of all of them back."""
        for bench in self._benches.values():
            bench.close()
        self._benches.clear()


def clearances(policy: PrivacyPolicy) -> Iterable[Privacy]:
    """Return the classes of steps that may not be given all materials of a team."""
    kept = {entry.privacy for entry in policy.materials if policy.is_kept(entry.privacy)}
    return [data for data in CLASSES if not all(covers(data, other) for other in kept)]
