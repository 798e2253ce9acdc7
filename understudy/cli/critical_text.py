"""What a critical path looks like to a person: what the time went to in order, and who had time to spare. Pure."""

from collections.abc import Iterable
from itertools import groupby

from rich.text import Text
from rich.tree import Tree

from graph.critical_path import CriticalPath, Segment
from graph.trace import Trace
from understudy.cli.text import one_line

_MIN_SHARE = 0.005
"""Of the run's time; shorter stretches are summed up in one line."""


def path_tree(trace: Trace, path: CriticalPath) -> Tree:
    """Return the critical path of a run, and the slack of the steps that are not on it."""
    tree = Tree(Text.assemble(("critical path", "bold"), f"  {trace.seconds:.2f} s"))
    least, rest = _MIN_SHARE * trace.seconds, 0.0
    for label, seconds in _stretches(path.segments):
        if seconds < least:
            rest += seconds
        else:
            tree.add(Text(f"{seconds:8.2f} s  {_share(seconds, trace):>4}  {label}"))
    if rest:
        tree.add(Text(f"{rest:8.2f} s  {_share(rest, trace):>4}  shorter stretches", style="dim"))
    spare = [timing for timing in path.steps if not timing.critical]
    if spare:
        slack = ", ".join(f"{one_line(timing.step)} {timing.slack:.2f} s" for timing in spare)
        tree.add(Text(f"not on it, with slack: {slack}"))
    return tree


def described(kind: str, name: str, step: str = "") -> str:
    """Return what took the time, in words."""
    about = f" ({one_line(step)})" if step and step != name else ""
    match kind:
        case "slot":
            return f"{one_line(name)} waits for a slot{about}"
        case "person":
            return "waits for a person" + (f" ({one_line(name)})" if name else "")
        case "node" if name == "run":
            return "the run stood still"
        case "node":
            return f"{one_line(name)} (no model at work)"
        case "agent":
            return f"{one_line(name)} works{about}"
        case _:
            return f"{kind} {one_line(name)}"


def _stretches(segments: Iterable[Segment]) -> Iterable[tuple[str, float]]:
    """Yield what follows each other in words, with its seconds; the same again is one stretch."""
    labelled = ((described(s.kind, s.name, s.step), s.seconds) for s in segments)
    for label, same in groupby(labelled, key=lambda pair: pair[0]):
        yield label, sum(seconds for _, seconds in same)


def _share(seconds: float, trace: Trace) -> str:
    return f"{seconds / trace.seconds:.0%}" if trace.seconds else ""
