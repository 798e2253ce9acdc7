"""A specialist whose work is code: it says at which hours a ship can leave the harbour."""

from understudy.plugins import Assignment, Performer, Source, Specialist, StepResult

ENOUGH = 3.5
"""Metres of water that a ship needs."""


async def find_hours(assignment: Assignment) -> StepResult:
    """Ask the tool for every hour, and keep those with enough water."""
    tool = assignment.tools.get("tide_height")
    heights = [(await tool.call({"hour": hour})).data for hour in range(24)]
    good = [int(each["hour"]) for each in heights if each["metres"] >= ENOUGH]
    named = ", ".join(f"{hour}:00" for hour in good)
    return StepResult(
        step=assignment.step.id,
        agent=assignment.specialist.name,
        text=f"There are {ENOUGH:g} m of water or more at {named}.",
        data={"hours": good},
        sources=[Source(name="tide_height", locator="0:00 to 23:00")],
        confidence=0.9,
    )


HARBOUR_MASTER = Performer(
    Specialist(
        name="harbour_master",
        description="Knows at which hours there is enough water in the harbour.",
        tools=("tide_height",),
        capabilities=("tides",),
    ),
    find_hours,
)
"""Without code of its own it would be the `Specialist` alone, played by a model or the rule-based twin."""
