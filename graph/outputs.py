"""Outputs held against what was declared: by the tool's own model, and by what the step of the plan returns."""

from dataclasses import replace

from pydantic import ValidationError

from agents.tools.registry import Tool, ToolOutput
from domain.errors import MalformedOutput
from domain.outcomes import StepResult
from domain.plans import Step
from domain.schemas import misfits
from domain.secrets import Secrets

NOTHING = "Nothing was found."
_SHOWN_MISFITS = 5


def checked_output(tool: Tool, output: ToolOutput, secrets: Secrets) -> ToolOutput:
    """Return a tool's output without secrets, or raise `MalformedOutput` where its data is not what it declares.

    What a writing tool did has happened, so its output is taken as it is.
    """
    if tool.returns is not None and tool.effect != "write":
        try:
            tool.returns.model_validate(output.data)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, e["loc"])) or "data" for e in error.errors()[:_SHOWN_MISFITS])
            msg = f"{tool.name} gave data that is not what it declares: {places}"
            raise MalformedOutput(msg) from error
    return clean_output(output, secrets)


def clean_output(output: ToolOutput, secrets: Secrets) -> ToolOutput:
    """Return an output in which no known secret stands."""
    text, data = secrets.text(output.text), secrets.value(output.data)
    return replace(output, text=text, data=data)


def checked_result(step: Step, result: StepResult) -> StepResult:
    """Return a step's result, or raise `MalformedOutput` where its data is not what the step returns.

    An empty result has nothing that could be checked; where it has no text either, it says so.
    """
    if result.status != "done":
        return result
    if result.empty:
        return result if result.text.strip() else result.model_copy(update={"text": NOTHING})
    if step.returns is not None and (found := misfits(result.data, step.returns)):
        msg = f"step {step.id!r} gave data that is not what it returns: {'; '.join(found)}"
        if step.effect == "write":  # what it did is done, so it is not done again
            return result.model_copy(update={"text": f"{result.text}\n[{msg}]"})
        raise MalformedOutput(msg)
    return result
