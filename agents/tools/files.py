"""Writing results into an output folder: new files only, whole or not at all, never outside the folder."""

import asyncio
import errno
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from agents.rules.file_names import file_for, named_file
from agents.tools.paths import inside, linked, parts_of
from agents.tools.registry import Attempt, Tool, ToolOutput, Verdict
from agents.tools.written import holds, remove_written, state_before
from domain.errors import InvalidArguments, PathNotAllowed, ToolError, ToolRefused

MAX_CHARS = 5_000_000


class Written(NamedTuple):
    """A file in the output folder."""

    path: str
    """Below the folder, with `/` between its parts."""
    size: int
    """In bytes."""
    sha256: str
    new: bool
    """False when the file already held exactly this."""


def write_new(folder: Path, path: str, text: str) -> Written:
    """Write a text file in UTF-8 below a folder, creating sub-folders; the folder itself is made on first use.

    An existing file is never changed: with the same content the call succeeds and does nothing, so that repeating it
    is safe; with other content it is refused and a free name is proposed.

    Raises:
        PathNotAllowed: The path is absolute, leads out of the folder, is hidden, or is not a usable file name.
        InvalidArguments: The text cannot be stored as UTF-8.
        ToolError: The name is taken, no space is left, or the folder cannot be written to.
    """
    parts = parts_of(path)
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        msg = "the text holds broken characters (half of a surrogate pair)"
        raise InvalidArguments(msg) from error
    try:
        target = _target(folder, parts)
        new = _publish(target, content)
        same = new or target.read_bytes() == content
    except OSError as error:
        raise _explained(error, path) from error
    if not same:
        raise _taken(folder, parts)
    return _written(path, text, new=new)


def _written(path: str, text: str, *, new: bool) -> Written:
    content = text.encode()
    return Written("/".join(parts_of(path)), len(content), hashlib.sha256(content).hexdigest(), new)


def check_new(folder: Path, path: str, text: str) -> None:
    """Raise what `write_new` would raise for its path; nothing is written."""
    parts = parts_of(path)
    target = folder.joinpath(*parts)
    if target.is_symlink() or (target.exists() and target.read_bytes() != text.encode("utf-8", "surrogatepass")):
        raise _taken(folder, parts)


def _target(folder: Path, parts: tuple[str, ...]) -> Path:
    """Return where the file goes, its parent made; links are followed before anything is created."""
    target = inside(folder, parts)
    if target.is_symlink():
        raise linked(parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _publish(target: Path, content: bytes) -> bool:
    """Put a complete file in place under a name that is free; return False, changing nothing, when it is not.

    The content is on the disk before the name exists, so a crash leaves the whole file or none.
    """
    if target.exists():
        return False
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name(draft, target)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(target.parent)
    return True


def _name(draft: Path, target: Path) -> None:
    """Give the draft its name. A link, unlike a rename, fails when another writer took the name meanwhile."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):  # FAT and some mounts know no hard links
            raise
        draft.rename(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explained(error: OSError, path: str) -> ToolError:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ToolError(f"no space is left to write {path!r:.100}; nothing was written")
        case errno.ENAMETOOLONG:
            return PathNotAllowed(f"{path!r:.100} is too long")
        case errno.ENOTDIR | errno.EEXIST:
            return ToolRefused(f"{path!r:.100} goes through something that is a file, not a folder")
    return ToolError(f"{path!r:.100} cannot be written: {error.strerror or error}")


def _taken(folder: Path, parts: tuple[str, ...]) -> ToolError:
    path = str(PurePosixPath(*parts))
    return ToolRefused(f"{path!r} exists with other content and is kept as it is; use {free_name(folder, path)!r}")


def free_name(folder: Path, path: str) -> str:
    """Return the path, numbered where a file of that name is there: `brief.md`, `brief-2.md`, ..."""
    wanted = PurePosixPath(path)
    names = (str(wanted.with_stem(f"{wanted.stem}-{n}")) for n in range(2, 1000))
    return next((name for name in (path, *names) if not folder.joinpath(name).exists()), path)


class WriteArguments(BaseModel):
    """Arguments of `write_file`."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=1000, description="Path below the output folder, e.g. notes/brief.md.")
    text: str = Field(max_length=MAX_CHARS, description="The complete content of the file.")


def file_tools(folder: Path) -> list[Tool]:
    """Return `write_file` into this folder."""
    writer = _Writer(folder)
    return [
        Tool(
            "write_file",
            "Write a new text file into the output folder. Use it only to deliver a finished result; existing files "
            "are never changed.",
            WriteArguments,
            writer.run,
            effect="write",
            check=writer.check,
            renew=writer.renew,
            key=("path", "text"),
            prepare=writer.prepare,
            verify=writer.verify,
            undo=writer.undo,
        )
    ]


@dataclass(frozen=True)
class _Writer:
    folder: Path

    async def run(self, arguments: WriteArguments) -> ToolOutput:
        return _report(await asyncio.to_thread(write_new, self.folder, arguments.path, arguments.text))

    async def check(self, arguments: WriteArguments) -> None:
        await asyncio.to_thread(check_new, self.folder, arguments.path, arguments.text)

    async def renew(self, arguments: Mapping[str, Any], goal: str | None) -> dict[str, Any]:
        path = arguments.get("path")
        if not isinstance(path, str):
            return dict(arguments)
        wanted = _path_for(goal, path) if goal and PurePosixPath(path).name else path
        return dict(arguments) | {"path": await asyncio.to_thread(free_name, self.folder, wanted)}

    async def prepare(self, arguments: WriteArguments) -> dict[str, Any]:
        return await asyncio.to_thread(state_before, self.folder, parts_of(arguments.path))

    async def verify(self, attempt: Attempt) -> Verdict:
        path, text = attempt.args.path, attempt.args.text
        match await asyncio.to_thread(holds, self.folder, parts_of(path), text):
            case "same":
                return Verdict("happened", _report(_written(path, text, new=not attempt.before.get("existed", True))))
            case "other":
                return Verdict("cannot_tell")  # it may have been written, and changed or replaced since
            case "nothing":
                return Verdict("did_not_happen")

    async def undo(self, attempt: Attempt, output: ToolOutput) -> ToolOutput:
        path, text = attempt.args.path, attempt.args.text
        # What a person found to have happened comes without the tool's own account of it.
        if not output.data.get("new", not attempt.before.get("existed", True)):
            msg = f"{path!r:.100} was there before, with the same text, and is kept"
            raise ToolError(msg)
        folders = attempt.before.get("missing_folders", [])
        removed = await asyncio.to_thread(remove_written, self.folder, parts_of(path), text, folders)
        return ToolOutput(f"removed {path}" if removed else f"{path} is gone already")


def _path_for(goal: str, path: str) -> str:
    """Return where the answer to a goal goes whose plan wrote to a path for another: beside it, or as told."""
    return named_file(goal) or str(PurePosixPath(path).with_name(file_for(goal)))


def _report(done: Written) -> ToolOutput:
    said = f"wrote {done.size} bytes to {done.path}" if done.new else f"{done.path} already holds exactly this text"
    return ToolOutput(said, {"path": done.path, "bytes": done.size, "sha256": done.sha256, "new": done.new})
