"""The tools of a run, made for the folders that it may read from and write to."""

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.privacy_policy import PrivacyPolicy
from agents.tools.arithmetic import arithmetic_tools
from agents.tools.database import TABLE_SUFFIXES
from agents.tools.documents import Documents, document_tools
from agents.tools.extraction import READERS
from agents.tools.files import file_tools
from agents.tools.folders import Found, Shown, everything, scan, target_of
from agents.tools.registry import Tool, Toolbox, ToolOutput
from agents.tools.reliability import Reliability, with_alternatives
from agents.tools.supply import Supply
from agents.tools.tables import Tables, table_tools
from domain.briefings import Material
from domain.plans import Privacy
from domain.privacy import covers

UNREADABLE = "cannot be read: "
"""How the summary of a material begins that is there but of no use."""
MAX_OTHERS = 20


class Workbench:
    """Documents and tables of one folder, an output folder, and the tools for them.

    Nothing is touched before the first use of a tool or of `materials`.
    """

    def __init__(
        self,
        data: Path | None,
        out: Path | None,
        policy: PrivacyPolicy | None = None,
        *,
        clearance: Privacy | None = None,
    ) -> None:
        """Set up the workbench.

        Args:
            data: Folder that is read.
            out: Folder that is written to.
            policy: How private the files are; None: no more than others.
            clearance: Files more private than this, and which only local models may be given, do not exist here; None:
                all files exist.
        """
        self._data, self._out = data, out
        self._policy = policy or PrivacyPolicy()
        self._clearance = clearance
        self._shown: Shown = everything if clearance is None else self._is_open
        self._documents = Documents(data, self._shown) if data else None
        self._tables = Tables(data, self._shown) if data else None

    def _is_open(self, file: Found) -> bool:
        data = self._policy.of_file(file.names).privacy
        return covers(self._clearance or "public", data) or not self._policy.is_kept(data)

    def toolbox(self) -> Toolbox:
        """Return the tools that make sense with the folders there are."""
        tools = arithmetic_tools()
        if self._documents and self._tables:
            tools += [self._list_materials(), *document_tools(self._documents), *table_tools(self._tables)]
        if self._out:
            tools += file_tools(self._out)
        return Toolbox.of(tools)

    async def stocked(self, supply: Supply, reliability: Reliability, workspace: str) -> Toolbox:
        """Return the tools of a run: the built-in ones and those the team declares, measured and with alternatives."""
        tools = [*self.toolbox().tools.values(), *await supply.tools(workspace)]
        watched = {tool.name: reliability.watched(tool) for tool in tools}
        return Toolbox(await with_alternatives(watched))

    async def materials(self) -> list[Material]:
        """Return the documents and tables, documents first; what cannot be read is among them and says so.

        Raises:
            UnknownFolder: The data folder does not exist.
        """
        return await asyncio.to_thread(self._look) if self._data else []

    def close(self) -> None:
        """Give the memory of indexes and tables back; the next use reads the folder again."""
        for part in (self._documents, self._tables):
            if part:
                part.close()

    def _look(self) -> list[Material]:
        documents = self._documents.all() if self._documents else []
        tables = self._tables.all() if self._tables else []
        found = [
            *(_material(d.name, "document", d.title, d.problem) for d in documents),
            *(_material(t.name, "table", t.summary(), t.problem) for t in tables),
        ]
        files = [d.name for d in documents] + [t.file for t in tables]
        return [self._classed(*each) for each in zip(found, files, strict=True)] if self._policy.materials else found

    def _classed(self, material: Material, file: str) -> Material:
        """Return a material with what the team says of its file, and of the file that it is a link to."""
        if self._data is None:
            return material
        handled = self._policy.of_file((file, target_of(self._data, file)))
        return material.model_copy(update={"privacy": handled.privacy, "consent": handled.consent})

    def _of_other_kinds(self) -> list[str]:
        files = scan(self._data) if self._data else []
        others = [file for file in files if file.suffix not in READERS and file.suffix not in TABLE_SUFFIXES]
        return [file.name for file in others if self._shown(file)]

    def _list_materials(self) -> Tool:
        async def run(_: ListArguments) -> ToolOutput:
            materials = await self.materials()
            text = "\n".join(f"- {m.name} ({m.kind}): {m.summary}" for m in materials)
            text = text or "There are no documents and no tables."
            if others := await asyncio.to_thread(self._of_other_kinds):
                text += f"\nOf kinds that are not read: {', '.join(others[:MAX_OTHERS])}"
            told = [material.model_dump(include={"name", "kind", "summary"}) for material in materials]
            return ToolOutput(text, {"materials": told})

        return Tool(
            "list_materials",
            "List the documents and tables that can be searched, read and queried. Use it when you do not know what "
            "there is.",
            ListArguments,
            run,
            effect="read",
        )


class ListArguments(BaseModel):
    """`list_materials` takes no arguments."""

    model_config = ConfigDict(extra="forbid")


def _material(name: str, kind: str, summary: str, problem: str) -> Material:
    return Material(name=name, kind=kind, summary=UNREADABLE + problem if problem else summary, readable=not problem)
