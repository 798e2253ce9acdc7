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

from domain.errors import InvalidSettings
from domain.outcomes import Usage
from graph.context import Context, Run, Services, ServicesFor
from graph.nodes.approve_plan import approve_plan
from graph.nodes.approve_result import approve_result
from graph.nodes.approve_steps import approve_steps
from graph.nodes.composer import composer
from graph.nodes.critic import critic
from graph.nodes.intake import intake
from graph.nodes.plan_critic import plan_critic
from graph.nodes.planner import planner
from graph.nodes.recall import recall
from graph.nodes.remember import remember
from graph.nodes.reviser import reviser
from graph.nodes.specialists import specialists
from graph.nodes.supervisor import supervisor
from graph.state import InputState, JsonDict, OutputState, State, dumped

RECURSION_LIMIT = 60
"""Supersteps a run may take; every loop has its own, lower bound."""

Node = Callable[[State, Run], Awaitable[Command[Any]]]
NODES: tuple[Node, ...] = (
    intake, recall, supervisor, planner, plan_critic, approve_plan, specialists, approve_steps, composer, critic,
    reviser, approve_result, remember,
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
        context = runtime.context or Context()
        run = _run(node, await services_for(context), state, runtime)
        command = await node(state, run)
        return Command(goto=command.goto, update={**(command.update or {}), **_tally(state, run)})

    return call


def _tally(state: State, run: Run) -> JsonDict:
    """Return what is kept of the node's model calls and of the twins that stepped in."""
    used = Usage.model_validate(state.get("usage", {})) + run.usage
    return ({"usage": dumped(used)} if run.usage.calls else {}) | ({"degraded": True} if run.degraded else {})


def _run(node: Node, services: Services, state: State, runtime: Runtime[Context]) -> Run:
    info = runtime.execution_info
    started = state.get("run") if node is not intake or state.get("gate") else None
    return Run(
        services=services,
        context=runtime.context or Context(),
        thread=(info and info.thread_id) or "",
        run=started or (info and info.run_id) or uuid.uuid4().hex,
        publish=lambda event: runtime.stream_writer({"node": node.__name__, "event": event}),
    )


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
