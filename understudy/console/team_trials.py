"""Trials as an operator sees and ends them."""

from functools import partial

from agents.delegation.trials import MIN_OUTCOMES, Verdict
from understudy.console.frame import empty, toast
from understudy.console.markup import Child, Html, Tone, badge, el, facts
from understudy.console.markup_view import confirmed, may, show
from understudy.console.parts import box, text
from understudy.console.visits import caller_here
from understudy.service.caller import Caller

_TONES: dict[str, Tone] = {"running": "accent", "promoted": "good", "stopped": "plain"}


async def trials_part(caller: Caller) -> None:
    """Show every trial of the workspace with what it found so far."""
    area = box("trials")

    async def draw() -> None:
        here = await caller_here("read")
        verdicts = await (await here.orchestrator.trials()).all()
        area.clear()
        with area:
            if not verdicts:
                empty(
                    "There is no trial.",
                    "Start one with: understudy trial start NAME CONTROL CHALLENGER, for example "
                    'shorter "search>analyse>write" "search>write"',
                )
            with box("cards", tag="ul"):
                for verdict in verdicts:
                    with box("card", tag="li"):
                        _card(here, verdict)

    def _card(here: Caller, verdict: Verdict) -> None:
        trial = verdict.trial
        show(el("h3", trial.name, " ", badge(trial.state, _TONES[trial.state])))
        text(_said(verdict), tag="p")
        show(_picture(verdict))
        show(facts(_facts(verdict)))
        if trial.state != "stopped" and may(here, "manage"):
            confirmed("End the trial", f"Let {trial.control} go on alone?", partial(stop, trial.name))

    async def stop(name: str) -> None:
        here = await caller_here("manage")
        await (await here.orchestrator.trials()).stop(name)
        toast(f"{name} has ended", "good")
        await draw()

    await draw()


def _facts(verdict: Verdict) -> dict[str, Child]:
    trial = verdict.trial
    return {
        "control": trial.control,
        "challenger": trial.challenger,
        "challenger gets": f"{trial.share:.0%} of the runs",
        "runs so far": f"{trial.counts[0]} and {trial.counts[1]}",
        "difference": _difference(verdict),
        "team": trial.team,
    }


def _difference(verdict: Verdict) -> str:
    if not min(verdict.trial.counts):
        return "–"
    return f"{verdict.difference:+.2f} ({verdict.low:+.2f} to {verdict.high:+.2f})"


def _said(verdict: Verdict) -> str:
    trial = verdict.trial
    if trial.state == "promoted":
        return f"{trial.challenger} is clearly better and takes all runs of {trial.control}."
    if trial.state == "stopped":
        return f"The trial has ended; {trial.control} goes on alone."
    if min(trial.counts) < MIN_OUTCOMES:
        return f"Too early to tell: each variant needs {MIN_OUTCOMES} runs."
    return "The difference is clear." if verdict.clear else "The difference is not clear yet: the interval holds 0."


def _picture(verdict: Verdict) -> Html:
    """Return the difference with its interval on a scale from -1 to 1."""
    if not min(verdict.trial.counts):
        return el("p", "Nothing was measured of one of the two yet.", class_="soft")

    def place(value: float) -> str:
        return f"{50 + 48 * min(1.0, max(-1.0, value)):.2f}%"

    told = f"difference {verdict.difference:+.2f}, between {verdict.low:+.2f} and {verdict.high:+.2f}; right is better"
    return el(
        "svg",
        el("line", x1="50%", x2="50%", y1="0", y2="20", class_="half"),
        el("line", x1=place(verdict.low), x2=place(verdict.high), y1="10", y2="10", class_="whisker"),
        el("circle", cx=place(verdict.difference), cy="10", r="5", class_="agent-0"),
        role="img", aria_label=told, class_="bar", height="20",
    )  # fmt: skip
