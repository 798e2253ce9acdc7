"""Where the time of many runs goes: shares of the wall time, of all runs and of the slowest, by who or what took it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from graph.critical_path import Segment, SegmentKind, critical_path
from graph.trace import Trace

SLOWEST = 0.05
"""Share of the runs, those with the longest wall time, that are looked at for themselves; one run at least."""

Inside = Literal["tool", "model"]
"""What the time of a specialist or role went to in its turn."""


class Share(BaseModel):
    """What somebody or something took of the wall time."""

    model_config = ConfigDict(extra="forbid")

    kind: SegmentKind | Inside
    name: str
    seconds: float
    """Of all runs together."""
    share: float
    """Of the wall time of all runs, 0-1."""
    slowest_share: float
    """Of the wall time of the slowest runs, 0-1."""
    runs: int
    """In how many it was on the critical path."""


class KindTimes(BaseModel):
    """How long the runs of one kind of task take."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    runs: int
    p50: float
    p95: float
    """Seconds, like the median."""
    bottleneck_kind: SegmentKind
    bottleneck: str
    """What took most of their time, as `Share.kind` and `Share.name`."""


class Bottlenecks(BaseModel):
    """Where the time of many runs went."""

    model_config = ConfigDict(extra="forbid")

    runs: int
    slowest: int
    """How many of them count as the slowest."""
    p50: float
    p95: float
    """Seconds of wall time, like the median."""
    path: list[Share]
    """By what was on the critical path; the shares add up to one. Largest share of the slowest runs first."""
    inside: list[Share]
    """Tools and models in the work on the path; calls side by side each count, so these do not add up."""
    kinds: list[KindTimes]
    """By kind of task, the slowest first."""


Key = tuple[SegmentKind | Inside, str]


class _Taken(NamedTuple):
    """One run's time."""

    trace: Trace
    path: dict[Key, float]
    inside: dict[Key, float]


def bottlenecks(traces: Sequence[Trace]) -> Bottlenecks:
    """Return where the time of finished runs went; one that is not finished counts up to its latest event."""
    taken = sorted((_taken(trace) for trace in traces), key=lambda run: run.trace.seconds, reverse=True)
    slowest = taken[: math.ceil(SLOWEST * len(taken))]
    seconds = [run.trace.seconds for run in taken]
    return Bottlenecks(
        runs=len(taken), slowest=len(slowest), p50=quantile(seconds, 0.5), p95=quantile(seconds, 0.95),
        path=_shares([run.path for run in taken], [run.path for run in slowest], seconds),
        inside=_shares([run.inside for run in taken], [run.inside for run in slowest], seconds),
        kinds=_kinds(taken),
    )  # fmt: skip


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; 0 of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def _taken(trace: Trace) -> _Taken:
    path: dict[Key, float] = defaultdict(float)
    inside: dict[Key, float] = defaultdict(float)
    segments = critical_path(trace).segments
    for segment in segments:
        path[segment.kind, "" if segment.kind == "person" else segment.name] += segment.seconds
    for key, calls in _calls(trace).items():
        inside[key] = sum(_covered(segment, calls.get(segment.step, ())) for segment in segments if _works(segment))
    return _Taken(trace, path, inside)


def _works(segment: Segment) -> bool:
    return segment.kind in ("agent", "role")


Span = tuple[float, float]


def _calls(trace: Trace) -> dict[Key, dict[str, list[Span]]]:
    """Return when each tool and model was at work, by the step that it worked for; an empty one is none."""
    found: dict[Key, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for step in trace.steps:
        for tool in (tool for attempt in step.attempts for tool in attempt.tools):
            found["tool", tool.tool][step.id].append((tool.started, tool.started + (tool.seconds or 0.0)))
    for call in trace.calls:
        found["model", call.model][call.step or ""].append((call.ended - call.seconds, call.ended))
    return found


def _covered(segment: Segment, spans: Iterable[Span]) -> float:
    """Return for how long a segment at least one of the spans lasted."""
    covered, at = 0.0, segment.started
    for started, ended in sorted(spans):
        start, end = max(at, started), min(ended, segment.ended)
        if end > start:
            covered, at = covered + end - start, end
    return covered


def _shares(
    runs: Sequence[dict[Key, float]], slowest: Sequence[dict[Key, float]], walls: Sequence[float]
) -> list[Share]:
    total, of_slowest = sum(walls), sum(walls[: len(slowest)])
    keys = sorted({key for run in runs for key, seconds in run.items() if seconds > 0})

    def share(key: Key) -> Share:
        seconds, late = (sum(run.get(key, 0.0) for run in some) for some in (runs, slowest))
        return Share.model_validate({
            "kind": key[0], "name": key[1], "seconds": seconds, "runs": sum(run.get(key, 0.0) > 0 for run in runs),
            "share": seconds / total if total else 0.0, "slowest_share": late / of_slowest if of_slowest else 0.0,
        })  # fmt: skip

    return sorted(map(share, keys), key=lambda row: (-row.slowest_share, -row.share, row.kind, row.name))


def _kinds(taken: Sequence[_Taken]) -> list[KindTimes]:
    by_kind: dict[str, list[_Taken]] = defaultdict(list)
    for run in taken:
        by_kind[run.trace.decision.kind if run.trace.decision else "undecided"].append(run)
    return sorted(_times(by_kind), key=lambda times: (-times.p95, times.kind))


def _times(by_kind: dict[str, list[_Taken]]) -> Iterator[KindTimes]:
    for kind, runs in by_kind.items():
        seconds = [run.trace.seconds for run in runs]
        totals: dict[Key, float] = defaultdict(float)
        for key, took in (item for run in runs for item in run.path.items()):
            totals[key] += took
        most = max(totals, key=lambda key: totals[key], default=("node", "run"))
        yield KindTimes(
            kind=kind, runs=len(runs), p50=quantile(seconds, 0.5), p95=quantile(seconds, 0.95),
            bottleneck_kind=most[0], bottleneck=most[1],
        )  # fmt: skip
