"""The policies by which one of several agents can be chosen, by name; as light as settings need it."""

from typing import Literal

PolicyName = Literal["shared-linear", "thompson", "linear", "neighbours", "greedy", "source"]
