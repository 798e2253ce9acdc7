"""The picture of the graph in the docs is the graph that runs."""

from pathlib import Path

from graph.build import NODES, graph

DRAWING = Path(__file__).parents[2] / "docs" / "graph.md"


def test_the_drawn_graph_is_the_one_in_the_docs() -> None:
    # Only the graph: the settings before it are quoted in other ways where something has changed how YAML is written.
    _, _, drawn = graph.get_graph().draw_mermaid().partition("graph TD;")
    assert f"graph TD;{drawn}```" in DRAWING.read_text()


def test_the_node_names_are_those_of_the_road() -> None:
    assert [node.__name__ for node in NODES] == [
        "intake", "recall", "supervisor", "planner", "plan_critic", "approve_plan", "specialists", "approve_steps",
        "composer", "critic", "reviser", "approve_result", "rollback", "approve_undo", "remember",
    ]  # fmt: skip


def test_a_node_and_its_file_share_their_name() -> None:
    assert all(node.__module__ == f"graph.nodes.{node.__name__}" for node in NODES)
