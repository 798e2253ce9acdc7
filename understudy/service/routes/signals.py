"""What sources say of the world, for as long as it holds."""

from fastapi import APIRouter

from domain.signals import Reading, Signal
from understudy.service.bodies.goals import SignalReported
from understudy.service.caller import Reader, Runner

router = APIRouter(prefix="/signals", tags=["signals"])


@router.get("")
async def read_signals(caller: Reader) -> list[Reading]:
    """Return what holds now, by name: the latest of each source, the most certain first, and whether they conflict."""
    return await caller.orchestrator.signals.current()


@router.post("", status_code=201)
async def report_signal(caller: Runner, reported: SignalReported) -> Signal:
    """Take what a source says, in place of what it said of the same thing before."""
    return await caller.orchestrator.signals.report(
        reported.source,
        reported.name,
        reported.value,
        certainty=reported.certainty,
        seconds=reported.expires_in,
        consent_scope=reported.consent_scope,
    )
