"""The signals of one workspace: taken from sources as far as people agreed, and read by name."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import ConsentNeeded, InvalidRequest
from domain.signals import MAX_SECONDS, MAX_TEXT, Reading, Signal, readings
from memory.consents import Consents
from memory.signals import Signals


@dataclass(frozen=True)
class WorkspaceSignals:
    """What one user may do with the signals of a workspace."""

    signals: Signals
    consents: Consents
    workspace: str
    user: str
    clock: Callable[[], float]
    """Unix time in seconds."""

    async def report(
        self,
        source: str,
        name: str,
        value: bool | float | str,
        *,
        certainty: float,
        seconds: float,
        consent_scope: str | None = None,
    ) -> Signal:
        """Take what a source says, in place of what it said of the same thing before.

        Args:
            source: Who says it, such as a sensor or a calendar.
            name: Of what, such as `presence`.
            value: What it is: true or false, a number, or a short text.
            certainty: How sure the source is, 0-1.
            seconds: For how long it holds.
            consent_scope: What the user must have agreed to for good, since it is about a person.

        Raises:
            ConsentNeeded: The user has not agreed to the scope; nothing is kept.
            InvalidRequest: It holds too long or not at all, is too long, or too many are kept.
        """
        if not 0 < seconds <= MAX_SECONDS:
            msg = f"a signal holds for more than 0 and at most {MAX_SECONDS:g} seconds, not {seconds:g}"
            raise InvalidRequest(msg)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            msg = f"the value of a signal has at most {MAX_TEXT} characters, not {len(value):,}"
            raise InvalidRequest(msg)
        if consent_scope is not None and not await self._agreed(self.user, consent_scope):
            raise ConsentNeeded([consent_scope])
        now = self.clock()
        signal = Signal(
            source=source, name=name, value=value, certainty=certainty, consent_scope=consent_scope, user=self.user,
            at=now, expires=now + seconds,
        )  # fmt: skip
        await self.signals.keep(self.workspace, signal)
        return signal

    async def current(self) -> list[Reading]:
        """Return what holds now, by name; what a person does not agree to any more is deleted."""
        now, kept = self.clock(), list[Signal]()
        for signal in await self.signals.current(self.workspace):
            if signal.consent_scope and not await self._agreed(signal.user, signal.consent_scope):
                await self.signals.forget(self.workspace, signal.source, signal.name)
            elif signal.expires > now:
                kept.append(signal)
        return readings(kept)

    async def _agreed(self, user: str, scope: str) -> bool:
        return (await self.consents.standing(self.workspace, user)).get(scope) == "always"
