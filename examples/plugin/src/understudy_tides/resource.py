"""A resource: the one gauge in the harbour, which takes two readings at a time."""

from understudy.plugins import Resource

TIDE_GAUGE = Resource(
    name="tide_gauge",
    kind="device",
    uses="tide_height",
    serves=("tide_height",),
    placement="local",
    capacity=2,
    seconds=0.01,
    skill=0.99,
)
