"""Playing what a version specification means on recorded tasks."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evals.report_files import read_results
from evals.results import SuiteResult, from_json
from evals.running import Told, run_suites
from evals.suites import Suite
from evals.versions import Commit, Results, Spec, Tree
from understudy.evaluation.commits import results_of_commit
from understudy.evaluation.playing import open_player
from understudy.settings import load_settings

ROOT = Path(__file__).parents[2]
SUITES = ROOT / "evals" / "suites"


class Playing(NamedTuple):
    """How versions are played."""

    suites: Sequence[Suite]
    """What is played."""
    names: Sequence[str]
    """Suites that count in a file of results; all where none is named."""
    root: Path
    """Folder of the suites: a commit meets the present recordings."""
    epochs: int
    tolerant: bool
    processes: int


def checked_spec(spec: Spec) -> Spec:
    """Return a specification whose settings are sound.

    Raises:
        InvalidSettings: A value does not fit.
    """
    if isinstance(spec, Tree):
        load_settings(**spec.version.settings)
    return spec


def results_of(spec: Spec, playing: Playing, told: Told) -> list[SuiteResult]:
    """Return what a version gives on the chosen suites.

    Raises:
        UserError: The version cannot be read or played.
    """
    match spec:
        case Results(path):
            return [suite for suite in read_results(path) if not playing.names or suite.name in playing.names]
        case Commit(revision):
            names = [suite.name for suite in playing.suites]
            numbers = ["--epochs", str(playing.epochs), "--processes", str(playing.processes)]
            given = [*names, "--root", str(playing.root), "--tolerant", *numbers]
            return from_json(results_of_commit(ROOT, revision, given))
        case Tree(version):
            return run_suites(
                playing.suites,
                open_player,
                version,
                spec.mode(tolerant=playing.tolerant),
                epochs=playing.epochs,
                processes=playing.processes,
                told=told,
            )
