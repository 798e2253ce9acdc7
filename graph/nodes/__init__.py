"""The nodes of the graph: each reads the state, calls one thing of a lower floor, and returns a small update."""
