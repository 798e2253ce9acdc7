"""`understudy trial`, and selection in `performance` and `status`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "Who publishes the numbers on net generation?"


def test_a_trial_lives_from_start_to_stop(understudy: Invoke) -> None:
    started = understudy("trial", "start", "longer", "search,", "search > write", "--share", "0.999999999")
    assert (started.exit_code, started.stderr) == (0, "")
    assert started.stdout == "longer has started: search>write gets 100% of the runs of search\n"
    assert understudy("run", QUESTION, "--data", ENERGY).exit_code == 0
    (found,) = json.loads(understudy("trial", "list", "--json").stdout)
    assert (found["of"], found["state"], found["runs"], found["clear"]) == ("sequences", "running", [0, 1], False)
    shown = understudy("trial", "show", "longer").stdout.splitlines()
    assert shown[0].split("\t")[-2:] == ["difference", "95 % interval"]
    assert shown[-1] == "too early to tell: each variant needs 20 runs"
    assert understudy("trial", "stop", "longer").stdout == "longer has ended; search goes on alone\n"
    assert json.loads(understudy("trial", "show", "longer", "--json").stdout)["state"] == "stopped"
    assert understudy("trial", "list", "--workspace", "other", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("start", "t", "search", "nobody"), "no specialist 'nobody'"),
        (("start", "t", "read", "search", "--share", "2"), "a share between 0 and 1"),
        (("start", "t:t", "read", "search"), "is no name for a trial"),
        (("show", "none"), "has no trial 'none'"),
        (("stop", "none"), "has no trial 'none'"),
    ],
    ids=["agent", "share", "name", "show", "stop"],
)
def test_what_cannot_be_is_refused(understudy: Invoke, args: tuple[str, ...], said: str) -> None:
    result = understudy("trial", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_the_performance_tells_how_agents_did_at_which_steps(understudy: Invoke) -> None:
    understudy("run", QUESTION, "--data", ENERGY)
    lines = [line.split("\t") for line in understudy("performance").stdout.splitlines()]
    (step,) = [line for line in lines if line[0] == "step"]
    assert (step[1], step[2], step[3], step[-1]) == ("search by search", "1", "100%", "0.0000")
    (standing,) = json.loads(understudy("performance", "--json").stdout)["selection"]
    assert (standing["kind"], standing["agent"], standing["rate"], standing["cost"]) == ("search", "search", 1.0, 0.0)


def test_the_status_tells_of_contexts(understudy: Invoke) -> None:
    assert "contexts  nothing was handed from step to step yet" in understudy("status").stdout.splitlines()
    assert json.loads(understudy("status", "--json").stdout)["contexts"]["hit_rate"] == 0
