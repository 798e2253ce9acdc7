"""How the installation stands, and how its runs went."""

from importlib.metadata import version

from fastapi import APIRouter

from domain.errors import StorageAway
from understudy.identity.principals import EVERYWHERE
from understudy.service.bodies.system import DegradedShown, SystemShown, WorkerShown
from understudy.service.caller import Caller, Reader
from understudy.summaries import ExecutionSummary

router = APIRouter(prefix="/system", tags=["system"])
_OF_STATUS = ("workspace", "team", "mode", "encoder", "tasks", "open_threads", "questions", "next_due", "contexts")


@router.get("/status")
async def show_status(caller: Reader) -> SystemShown:
    """Return who plays, what is open, which workers live, and what does not work as it should since when."""
    status, installation = await caller.orchestrator.status(), caller.installation
    workers = await _living(caller)
    operates = caller.principal.permits(EVERYWHERE, "audit")
    return SystemShown(
        **{name: getattr(status, name) for name in _OF_STATUS},
        version=version("understudy"),
        uptime=max(0.0, installation.house.clock() - installation.began),
        degraded=[
            DegradedShown(reason=reason, since=status.degraded_since.get(reason, installation.house.clock()))
            for reason in status.degraded
        ],
        carries_out=installation.engine is not None,
        workers=None if workers is None else len(workers),
        living=workers if workers and operates else [],
    )


@router.get("/orchestrator")
async def summarise_runs(caller: Reader) -> ExecutionSummary:
    """Return how often the latest runs succeeded, how long they took, and which errors keep coming back."""
    return await caller.orchestrator.summary()


async def _living(caller: Caller) -> list[WorkerShown] | None:
    try:
        return [WorkerShown.of(worker) for worker in await caller.installation.house.workers.living()]
    except StorageAway:
        return None
