"""The graph of DESIGN's road, built from its nodes.

`builder(services_for)` returns the uncompiled graph for a caller with its own services and checkpointer; `graph` is
the one that the LangGraph server opens, with the services that the installed product offers.
"""

import functools
import uuid
from collections.abc import Awaitable, Callable
from importlib.metadata import entry_points
from typing import Any, get_args, get_type_hints

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from agents.budget import spending
from agents.exchanges.keeping import exchanges_kept
from agents.streaming import heard_by
from domain.errors import Forbidden, InvalidSettings, LimitReached
from domain.outcomes import Usage
from graph.budget import account_of, charged_time, out_of_budget
from graph.context import Context, Run, Services, ServicesFor
from graph.nodes.approve_plan import approve_plan
from graph.nodes.approve_result import approve_result
from graph.nodes.approve_steps import approve_steps
from graph.nodes.approve_undo import approve_undo
from graph.nodes.composer import composer
from graph.nodes.critic import critic
from graph.nodes.intake import intake
from graph.nodes.plan_critic import plan_critic
from graph.nodes.planner import planner
from graph.nodes.recall import recall
from graph.nodes.remember import remember
from graph.nodes.reviser import reviser
from graph.nodes.rollback import rollback
from graph.nodes.specialists import specialists
from graph.nodes.supervisor import supervisor
from graph.state import InputState, JsonDict, OutputState, State, dumped, results_of

RECURSION_LIMIT = 100
"""Supersteps a run may take; every loop has its own, lower bound."""

Node = Callable[[State, Run], Awaitable[Command[Any]]]
NODES: tuple[Node, ...] = (
    intake, recall, supervisor, planner, plan_critic, approve_plan, specialists, approve_steps, composer, critic,
    reviser, approve_result, rollback, approve_undo, remember,
)  # fmt: skip


def builder(services_for: ServicesFor) -> StateGraph[State, Context, InputState, OutputState]:
    """Return the graph, not yet compiled.

    Args:
        services_for: Opens what a run works with, for who asks.
    """
    graph = StateGraph(State, context_schema=Context, input_schema=InputState, output_schema=OutputState)
    for node in NODES:
        targets = _destinations(node)
        graph.add_node(node.__name__, _bound(node, services_for), destinations=targets)
        if len(targets) == 1:
            # An edge of its own, so that a state edited "as" this node, in Studio or by the SDK, goes on from here.
            graph.add_edge(node.__name__, targets[0])
    graph.add_edge(START, intake.__name__)
    return graph


def _bound(node: Node, services_for: ServicesFor) -> Callable[..., Awaitable[Command[Any]]]:
    """Return the node as LangGraph calls it: with the run's services, and with its models' usage in the update."""

    async def call(state: State, runtime: Runtime[Context]) -> Command[Any]:
        context = _asking(runtime)
        if node is intake and state.get("gate"):
            _check_answers(runtime)
        run = _run(node, await services_for(context), context, state, runtime)
        await run.guard()
        try:
            with spending(run.purses, run.services.prices), exchanges_kept(run.keep), heard_by(run.listener):
                command = await node(state, run)
        except LimitReached as limit:
            command = out_of_budget(limit, state, run, fixed=len(_destinations(node)) == 1)
        kept = await charged_time(state, run) | _tally(state, run, command)
        return Command(goto=command.goto, update={**(command.update or {}), **kept})

    return call


def _tally(state: State, run: Run, command: Command[Any]) -> JsonDict:
    """Return what is kept of the node's model calls and of the twins that stepped in.

    What a step consumed whose result the node drops, since another plan goes without it, stays consumed.
    """
    left = (command.update or {}).get("results")
    dropped = [r.usage for key, r in results_of(state).items() if key not in left] if left is not None else []
    used = sum(dropped, run.usage)
    total = Usage.model_validate(state.get("usage", {})) + used
    return ({"usage": dumped(total)} if used.calls else {}) | ({"degraded": True} if run.degraded else {})


def _run(node: Node, services: Services, context: Context, state: State, runtime: Runtime[Context]) -> Run:
    info = runtime.execution_info
    started = state.get("run") if node is not intake or state.get("gate") else None
    return Run(
        services=services,
        context=context,
        thread=(info and info.thread_id) or "",
        run=started or (info and info.run_id) or uuid.uuid4().hex,
        publish=lambda event: runtime.stream_writer({"node": node.__name__, "event": services.secrets.model(event)}),
        whisper=lambda text: runtime.stream_writer({"node": node.__name__, "event": text}),
        account=account_of(state, services.budgets.run),
        draining=lambda: runtime.drain_reason or ("shutdown" if runtime.drain_requested else None),
    )


def _asking(runtime: Runtime[Context]) -> Context:
    """Return who asks, and where; what a server has proved of them counts, whatever the request says."""
    given, user = runtime.context or Context(), _proved(runtime)
    if user is None or (user.is_free and given != Context()):
        return given
    return Context(workspace=user.workspace, user=user.identity, team=user.team, key=user.key)


def _check_answers(runtime: Runtime[Context]) -> None:
    """Return where who asks may answer an open question, which a message would."""
    user = _proved(runtime)
    if user is not None and not user.approves:
        raise Forbidden("a question is open, and you may not decide on it")


def _proved(runtime: Runtime[Context]) -> Any:
    """Return whom a server's identities have recognised; None where nobody looked."""
    user = runtime.server_info.user if runtime.server_info else None
    return user if hasattr(user, "workspace") else None


def _destinations(node: Node) -> tuple[str, ...]:
    """Return where a node may lead, read from its annotation `Command[Literal[...]]`."""
    (targets,) = get_args(get_type_hints(node)["return"])
    return get_args(targets)


@functools.cache
def _installed() -> ServicesFor:
    for point in entry_points(group="understudy.services"):
        opener: Callable[[], ServicesFor] = point.load()
        return opener()
    msg = "no package offers the entry point 'understudy.services'; install the project with: make setup"
    raise InvalidSettings(msg)


async def _installed_services(context: Context) -> Services:
    return await _installed()(context)


graph = builder(_installed_services).compile(name="understudy").with_config(recursion_limit=RECURSION_LIMIT)
