import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from understudy.evaluation.commits import UnknownCommit, UnplayableCommit, results_of_commit, worktree

GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org"]
PLAYS = (
    "import json, os, sys;"
    "print(json.dumps({'suites': {}, 'given': sys.argv[1:], 'leads': os.getpgrp() == os.getpid()}))"
)
FAILS = "import sys; sys.exit('the recordings are gone')"
WAITS = "import signal; open('{fifo}', 'w').close(); signal.pause()"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    return root


def git(root: Path, *arguments: str) -> str:
    return subprocess.run([*GIT, "-C", root, *arguments], check=True, capture_output=True, text=True).stdout


def committed(root: Path, program: str | None) -> str:
    """Commit a program named understudy, or a tree that has none, and return the commit."""
    (root / "readme").write_text(program or "")
    if program is not None:
        (root / "understudy" / "cli").mkdir(parents=True)
        (root / "understudy" / "__main__.py").write_text(program)
        (root / "understudy" / "cli" / "evaluate.py").touch()
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "a state")
    return git(root, "rev-parse", "HEAD").strip()


def worktrees(root: Path) -> int:
    return git(root, "worktree", "list").count("\n")


def test_a_commit_plays_with_its_own_program(repository: Path) -> None:
    commit = committed(repository, PLAYS)
    git(repository, "rm", "-r", "--quiet", "understudy")
    found = results_of_commit(repository, commit[:10], ["home", "--epochs", "2"])
    assert found == {"suites": {}, "given": ["eval", "run", "--json", "home", "--epochs", "2"], "leads": True}
    assert worktrees(repository) == 1


@pytest.mark.parametrize(
    ("program", "told"), [(None, "has no `eval run` yet"), (FAILS, "ended with 1: the recordings are gone")]
)
def test_a_commit_that_cannot_play_says_why(repository: Path, program: str | None, told: str) -> None:
    commit = committed(repository, program)
    with pytest.raises(UnplayableCommit, match=told):
        results_of_commit(repository, commit, [])
    assert worktrees(repository) == 1


@pytest.mark.parametrize("revision", ["no-such-branch", "HEAD~7", "--all", ""])
def test_what_is_no_commit_is_named(repository: Path, revision: str) -> None:
    committed(repository, None)
    with pytest.raises(UnknownCommit, match="has no commit"), worktree(repository, revision):
        pass


def test_a_folder_without_a_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownCommit, match="finds no commits: fatal: not a git repo"), worktree(tmp_path, "HEAD"):
        pass


def test_a_commit_that_cannot_be_checked_out_says_why(repository: Path) -> None:
    commit = committed(repository, None)
    (repository / ".git" / "worktrees").touch()
    with pytest.raises(UnknownCommit, match=r"could not be checked out into '.*': "), worktree(repository, commit):
        pass


def test_an_interruption_ends_the_program_and_takes_the_tree_away(repository: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "begun"
    os.mkfifo(fifo)
    commit = committed(repository, WAITS.format(fifo=fifo))
    main = threading.main_thread().ident
    assert main is not None

    def interrupt_when_begun() -> None:
        fifo.open().close()  # waits until the program has opened its end
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt_when_begun, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        results_of_commit(repository, commit, [])
    assert worktrees(repository) == 1
