"""What a selection policy is."""

from typing import Protocol

from agents.delegation.arms import Floats, Observations, Requests


class Policy(Protocol):
    """Says how good each arm is for a request, and learns from what came of it.

    A policy is made from a `Tally`, which is already up to date whenever the policy is asked or told something, and a
    random generator.
    """

    def learn(self, seen: Observations) -> None:
        """Take in outcomes; only the chosen arm's is ever known."""

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return one score an arm, shape [requests, arms]; the highest is chosen, so exploration is part of it.

        Args:
            requests: What is to be done.
            penalty: What cost and time take from the utility, same shape as the answer; infinite bars an arm.
        """

    def quality(self, requests: Requests) -> Floats:
        """Return the expected outcome of each arm, 0..1, same shape."""
