"""The LangGraph state machine: state, nodes, the step scheduler, checkpoints."""
