import pytest

from domain.audit import AuditEntry, Noted
from memory.friction import FrictionWeek
from understudy import experience
from understudy.experience import Figure, summed_up


def _figure(name: str, value: float | None, target: float | None, *, at_most: bool = True) -> Figure:
    return Figure(group="trust", name=name, value=value, target=target, at_most=at_most, samples=1, how="")


def _noted(*entries: AuditEntry) -> list[Noted]:
    return [Noted(seq, float(seq), "w", "", entry, "") for seq, entry in enumerate(entries, start=1)]


def _entry(kind: str, step: str, **data: object) -> AuditEntry:
    return AuditEntry.model_validate({"kind": kind, "who": "ada", "why": "", "run": "r", "step": step, "data": data})


@pytest.mark.parametrize(
    ("figure", "met", "degree"),
    [
        (_figure("f", 2, 2), True, 1.0),
        (_figure("f", 4, 2), False, 0.5),
        (_figure("f", 0.8, 0.8, at_most=False), True, 1.0),
        (_figure("f", 0.4, 0.8, at_most=False), False, 0.5),
        (_figure("f", None, 2), None, None),
        (_figure("f", 2, None), None, None),
    ],
)
def test_a_figure_is_met_or_not_or_unknown(figure: Figure, met: bool | None, degree: float | None) -> None:
    assert (figure.met, figure.degree) == (met, degree)


def test_the_score_is_the_mean_of_what_was_measured() -> None:
    found = summed_up([_figure("far", 8, 2), _figure("near", 3, 2), _figure("good", 1, 2), _figure("no", None, 2)], [])
    assert found.score == pytest.approx((0.25 + 2 / 3 + 1) / 3)
    assert found.unmet == ["far", "near"]


def test_nothing_measured_has_no_score() -> None:
    assert summed_up([_figure("no", None, 2)], []).score is None


def test_an_effect_counts_as_allowed_only_where_it_was_ruled_or_decided_on_before() -> None:
    noted = _noted(
        _entry("ruling", "a"),
        _entry("effect", "a", state="begun"),
        _entry("effect", "a", state="done"),
        _entry("effect", "b", state="begun"),
        _entry("decision", "b"),
        _entry("effect", "b", state="begun"),
    )
    assert experience._allowed(noted) == [True, False, True]


def test_a_time_out_that_approves_is_no_safe_default() -> None:
    noted = _noted(_entry("timeout", "a", what="halt"), _entry("timeout", "b", what="approve"), _entry("ruling", "c"))
    assert experience._harmless(noted) == [True, False]


def test_the_most_bothered_user_counts() -> None:
    weeks = [
        FrictionWeek("2026-W02", "ada", 6, 0, 0, 0, 0, None),
        FrictionWeek("2026-W01", "ada", 2, 0, 0, 0, 0, None),
        FrictionWeek("2026-W02", "bob", 1, 4, 0, 0, 0, None),
    ]
    seen = experience._Seen(
        weeks=weeks, span=4, runs=[[]], noted=[], judged=[], override_rate=None, answers=0
    )  # fmt: skip
    found = {figure.name: figure for figure in experience._friction(seen)}
    assert (found["taps_per_week"].value, found["taps_per_week"].met) == (2.0, True)
    assert (found["dialogs_per_week"].value, found["dialogs_per_week"].met) == (1.0, True)
