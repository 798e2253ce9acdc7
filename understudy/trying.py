"""Trials of one workspace, as an operator holds them."""

from dataclasses import dataclass

from agents.delegation.trials import Trial, Trials, Verdict, verdict
from agents.delegation.variants import check_agents, check_sequences, named_sequence
from agents.team import Team
from memory.tasks import TaskMemory


@dataclass(frozen=True)
class WorkspaceTrials:
    """Starts, shows and ends trials."""

    trials: Trials
    memory: TaskMemory
    team: Team
    workspace: str

    async def start(self, name: str, control: str, challenger: str, *, share: float = 0.5) -> Trial:
        """Let two agents, or two sequences of agents joined by `>`, share the workspace's later runs.

        Args:
            name: What the trial is called.
            control: What is used without the trial.
            challenger: What may turn out better.
            share: Part of the runs that the challenger gets, between 0 and 1.

        Raises:
            UnknownAgent: The team has no such agent.
            InvalidTrial: The variants cannot be compared, or the name or the share does not do.
        """
        control, challenger = named_sequence(control), named_sequence(challenger)
        if ">" in control + challenger:
            await check_sequences(self.team, self.memory, self.workspace, control, challenger)
            trial = Trial(name, control, challenger, share, team=self.team.name, of="sequences")
        else:
            check_agents(self.team, control, challenger)
            trial = Trial(name, control, challenger, share, team=self.team.name)
        return await self.trials.start(self.workspace, trial)

    async def all(self) -> list[Verdict]:
        """Return what each trial of the workspace shows, by name."""
        return [verdict(trial) for trial in await self.trials.all(self.workspace)]

    async def show(self, name: str) -> Verdict:
        """Return what a trial shows, or raise `UnknownTrial`."""
        return verdict(await self.trials.get(self.workspace, name))

    async def stop(self, name: str) -> Verdict:
        """End a trial, or take its promotion back; the control goes on alone. Raises `UnknownTrial`."""
        return verdict(await self.trials.stop(self.workspace, name))
