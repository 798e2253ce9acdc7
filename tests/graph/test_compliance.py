"""No sequence of inputs leads to an effect that a rule forbids, or to one that cannot be undone and nobody allowed.

A machine of hypothesis drives the real effects, ledger, controller, rules and audit on real records. What it may do is
known to a model of its own (`tests/graph/compliance.py`).
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.team import Specialist, Team
from agents.tools.registry import Toolbox
from domain.approvals import Decision
from domain.autonomy import Tier, call_digest
from domain.checkpoints import Checkpoint
from domain.errors import InvalidRule, ToolCrashed, ToolError, UnderstudyError, UnknownRule
from domain.outcomes import Usage
from domain.plans import Plan
from domain.standing import Scope, StandingRule
from domain.waiting import Level
from graph.acts import note_heard
from graph.asking import Asking
from graph.audited import EffectNotes
from graph.context import Context, Run, Services
from graph.effects import performed_once
from graph.gates import closed
from graph.state import State, dumped
from graph.undoing import Undoer
from memory.audit import Audit
from memory.autonomy import AutonomyMemory
from memory.constraints import Constraints, parsed_rule
from memory.decisions import Decisions
from memory.effects import EffectLedger
from memory.provenance import Provenance
from memory.sqlite import SqliteRecords
from tests.graph.compliance import DAY, EVIL, Allowed, World
from tests.graph.conftest import Troupe, step

ANN = Provenance(writer="person", user="ann")
NOON = 43_200.0
TO = st.sampled_from(["ann@x.org", "ann@x.org", "bob@x.org", "ann@x.org.evil.com", *EVIL])
MAIL = {"to": "ann@x.org"}
ARGS = st.one_of(
    st.just(MAIL),
    st.just({"to": "bob@x.org"}),
    st.fixed_dictionaries(
        {"to": st.one_of(TO, st.lists(TO, min_size=1, max_size=2))},
        optional={"amount": st.sampled_from([0, 5, 5000, "5", "NaN", "lots"]), "text": st.just("all is well")},
    ),
)
TOOLS = st.sampled_from(["send", "put"])
"""`send` cannot be undone, `put` can."""


TRIES = st.fixed_dictionaries({
    "tool": TOOLS,
    "args": ARGS,
    "meant": st.one_of(st.none(), ARGS),
    "decided": st.sampled_from(["nothing", "nothing", "nothing", "approve", "edit", "reject", "other", "timeout"]),
    "confidence": st.floats(0, 1),
    "carried": st.sampled_from([(), (), (), ("evil",)]),
    "breaks": st.sampled_from([None, None, None, None, ToolError, ToolCrashed]),
    "meanwhile": st.sampled_from(["", "", "", "", "", "no-evil", "no-send"]),
    "bare": st.sampled_from([False, False, False, True]),
})  # fmt: skip
"""One try at an effect: what a person has decided before, what the tool does, and what is forbidden meanwhile."""


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        shared = Path("/dev/shm")  # where writing through to the disk costs nothing
        self.folder = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
        self.now = NOON
        self.world = World()
        self.records = self.do(SqliteRecords.open(Path(self.folder.name) / "records.sqlite", clock=lambda: self.now))
        self.services = self.opened()
        self.runs = 0
        self.allowed = Allowed()
        self.attempts: list[tuple[Any, ...]] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def opened(self) -> Services:
        records, clock = self.records, lambda: self.now
        audit, troupe = Audit(records, clock), Troupe()
        team = Team(
            name="test", description="a team",
            specialists=(Specialist(name="writer", description="writes", tools=("send", "put")),),
        )  # fmt: skip
        nothing: Any = None
        return Services(
            team=team, cast=troupe.cast(), understudies=troupe.cast(),
            tools=Toolbox.of([self.world.tool("send", undoable=False), self.world.tool("put", undoable=True)]),
            materials=nothing, memory=nothing, delegator=nothing, trials=nothing,
            lessons=cast(Any, SimpleNamespace(decisions=Decisions(records))),
            constraints=Constraints(records, clock=clock, audit=audit), effects=EffectLedger(records, clock=clock),
            clock=clock, audit=audit, autonomy=AutonomyMemory.of(records, clock=clock, audit=audit),
        )  # fmt: skip

    @property
    def memory(self) -> AutonomyMemory:
        assert self.services.autonomy is not None
        return self.services.autonomy

    def teardown(self) -> None:
        self.do(self.records.close())
        self.loop.close()
        self.folder.cleanup()

    # -- what people set --

    @initialize(tier=st.sampled_from(["standard", "trusted"]), forbidden=st.booleans())
    def begin(self, tier: Tier, forbidden: bool) -> None:
        self.trust(tier, "person")
        self.let("z", "send", MAIL, wide=False, days=90, by="person")
        if forbidden:
            self.forbid("no-evil", ANN)

    @rule(name=st.sampled_from(["no-evil", "no-send", "no-night"]), by=st.sampled_from([ANN, ANN, "agent"]))
    def forbid(self, name: str, by: Any) -> None:
        self.do(self.forbidden(name, by if by is ANN else Provenance(writer="agent")))

    async def forbidden(self, name: str, by: Provenance) -> None:
        kinds: dict[str, dict[str, Any]] = {
            "no-evil": {"kind": "forbidden_recipient", "recipients": ["*evil@y.com"]},
            "no-send": {"kind": "forbidden_tool", "tools": ["send"]},
            "no-night": {"kind": "time_of_day", "start": "22:00", "end": "06:00"},
        }
        constraints = self.services.constraints
        await constraints.propose("default", parsed_rule({"id": name, **kinds[name]}), by)
        with suppress(InvalidRule):
            await constraints.accept("default", name, by)
            self.allowed.forbidden.add(name)

    @rule(name=st.sampled_from(["no-evil", "no-send", "no-night"]))
    def permit(self, name: str) -> None:
        with suppress(UnknownRule):
            self.do(self.services.constraints.retire("default", name, ANN))
            self.allowed.forbidden.discard(name)

    @rule(tier=st.sampled_from(["cautious", "standard", "trusted"]), by=st.sampled_from(["person", "agent"]))
    def trust(self, tier: Tier, by: Any) -> None:
        with suppress(InvalidRule):
            self.do(self.memory.trust.set("default", "ada", tier, Provenance(writer=by, user="ann")))
            self.allowed.tier = tier

    @rule(
        name=st.sampled_from(["a", "b", "c"]), tool=TOOLS, args=ARGS, wide=st.booleans(), days=st.sampled_from([1, 90]),
        by=st.sampled_from(["person", "agent"]),
    )  # fmt: skip
    def let(self, name: str, tool: str, args: dict[str, Any], wide: bool, days: int, by: Any) -> None:
        to = args["to"] if isinstance(args["to"], list) else [args["to"]]
        reach: dict[str, Any] = {"domains": ("x.org",)} if wide else {"recipients": tuple(to)}
        limit = 50 if "amount" in args else None
        scope = Scope(tool=tool, names=tuple(sorted(args)), at_most=limit, free=("text",), **reach)
        author, end = Provenance(writer=by, user="ann"), self.now + days * DAY
        with suppress(InvalidRule, UnknownRule):
            self.do(
                self.memory.rules.propose(
                    "default", StandingRule(id=name, user="ada", scope=scope, expires=end), author
                )
            )
        with suppress(InvalidRule, UnknownRule):
            accepted = self.do(self.memory.rules.accept("default", name, author))
            self.allowed.rules[name] = (accepted.scope, accepted.expires)

    @rule(name=st.sampled_from(["a", "b", "c"]))
    def retire(self, name: str) -> None:
        with suppress(UnknownRule):
            self.do(self.memory.rules.retire("default", name, ANN))
            self.allowed.rules.pop(name, None)

    @rule(
        posted=st.lists(
            st.builds(
                lambda action, users: Checkpoint(
                    name=f"gate-{action}", condition="ON_EFFECT", action=action,
                    auto_approve_for_users=users if action in ("REQUEST_APPROVAL", "ESCALATE") else (),
                    escalation=(Level(to=("boss",)),) if action == "ESCALATE" else (),
                ),
                st.sampled_from(["REQUEST_APPROVAL", "NOTIFY", "ESCALATE", "BLOCK"]),
                st.sampled_from([(), (), ("ada",)]),
            ),
            max_size=2, unique_by=lambda checkpoint: checkpoint.name,
        )
    )  # fmt: skip
    def post(self, posted: list[Checkpoint]) -> None:
        self.allowed.posted = tuple(posted)
        self.services = replace(
            self.services, team=self.services.team.model_copy(update={"checkpoints": self.allowed.posted})
        )

    @rule(hours=st.sampled_from([1, 11, 24, 24 * 40]))
    def wait(self, hours: int) -> None:
        self.now += hours * 3600

    # -- what the system tries --

    @rule(tries=st.lists(TRIES, min_size=4, max_size=8))
    def attempt(self, tries: list[dict[str, Any]]) -> None:
        for tried in tries:
            self.runs += 1
            meant = tried["args"] if tried["meant"] is None else tried["meant"]
            self.do(self._attempt(**tried | {"meant": meant}))

    @precondition(lambda self: self.attempts)
    @rule(which=st.integers(0, 100))
    def again(self, which: int) -> None:
        """Try the very same once more, as after a crash."""
        self.do(self._tried(*self.attempts[which % len(self.attempts)]))

    @precondition(lambda self: self.attempts)
    @rule(which=st.integers(0, 100))
    def undo(self, which: int) -> None:
        run: Run = self.attempts[which % len(self.attempts)][4]
        undoer = Undoer(
            ledger=self.services.effects, workspace="default", tools=self.services.tools, decide=lambda _: None,
            emit=lambda _: None, notes=EffectNotes(self.services.audit, "default", "ada"),
        )  # fmt: skip
        self.do(undoer.undo(run.run))

    async def _attempt(
        self, tool: str, args: dict[str, Any], meant: dict[str, Any], decided: str, confidence: float,
        carried: tuple[str, ...], breaks: type[ToolError] | None, meanwhile: str, bare: bool,
    ) -> None:  # fmt: skip
        act = step("act", "writer", tool=tool, effect="write", args=args)
        state = cast(State, {
            "goal": f"use {tool}", "messages": [], "briefing": {"workspace": "default"},
            "plan": dumped(Plan(steps=[act], confidence=confidence)),
            "carried": {"act": list(carried)} if carried else {},
        })  # fmt: skip
        run = Run(
            services=self.services, context=Context(user="ada"), thread="t", run=f"r{self.runs}", publish=lambda _: None
        )
        asking = Asking(state, run)
        shown, other = asking.action(act, args), asking.action(act, meant)
        heard = other if decided == "other" else shown
        decision = {
            "approve": Decision(type="approve", by="ada"),
            "other": Decision(type="approve", by="ada"),
            "timeout": Decision(type="approve", by="timeout"),
            "edit": Decision(type="edit", args=meant, by="ada"),
            "reject": Decision(type="reject", by="ada"),
        }.get(decided)
        if decision is not None:
            state = cast(State, {**state, **closed(state, [(heard, decision)])})
            await note_heard([(heard, decision)], run)
            if decision.type in ("edit", "reject"):
                self.allowed.demote(tool, heard.args)
        final = meant if decided == "edit" else args
        own = decided in ("approve", "edit") or (
            decided == "other" and call_digest(tool, meant) == call_digest(tool, args)
        )
        by_clock = decided == "timeout" and tool == "put" and not carried
        self.world.breaks = breaks
        self.world.meanwhile = (lambda: self.forbidden(meanwhile, ANN)) if meanwhile else None
        tried = (act, tool, final, state, run, None if bare else shown, (own or by_clock) and not bare, bool(carried))
        self.attempts.append(tried)
        try:
            await self._tried(*tried)
        finally:
            self.world.breaks = self.world.meanwhile = None

    async def _tried(
        self,
        act: Any,
        tool: str,
        args: dict[str, Any],
        state: State,
        run: Run,
        shown: Any,
        allowed: bool,
        carried: bool,
    ) -> None:
        run.services, run.usage = self.services, Usage()

        def check(name: str, given: dict[str, Any]) -> str:
            if call_digest(name, given) != call_digest(tool, args):
                return "it is another call"
            return self.allowed.wrong(name, given, self.now, decided=allowed, carried=carried)

        self.world.check = check
        before = len(self.world.done)
        with suppress(UnderstudyError):
            await performed_once(act, self.services.tools.get(tool), args, state, run, shown=shown)
        assert self.world.wrong == []
        assert len(self.world.done) <= before + 1

    @invariant()
    def every_effect_has_a_key_of_its_own(self) -> None:
        keys = [key for _, _, key in self.world.done]
        assert len(keys) == len(set(keys))


def test_no_sequence_of_inputs_leads_to_what_nobody_allowed() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
