"""The rules of the house, read from the source: imports point down, pieces stay small, errors are not swallowed."""

import ast
import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {"domain": 0, "teams": 0, "prompts": 1, "memory": 1, "agents": 2, "graph": 3, "evals": 4, "understudy": 5}
PROCESS_EDGES = ("understudy/cli/", "understudy/durable/engine.py", "memory/worker.py", "agents/plugins.py")
"""Where an unforeseen error is turned into a message and an exit code, or carried from a thread to who awaits it, or
comes from the code of others: there everything may be caught."""
SLOW_TO_IMPORT = (
    "chromadb",
    "duckdb",
    "langchain",
    "langchain_core",
    "langgraph",
    "numpy",
    "openai",
    "sklearn",
    "wordllama",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources(*folders: str) -> dict[str, ast.Module]:
    """Module trees by path below the root."""
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return {file.relative_to(ROOT).as_posix(): parsed(file) for file in files}


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def code() -> dict[str, ast.Module]:
    return sources(*FLOORS)


def everything() -> dict[str, ast.Module]:
    return sources(*FLOORS, "tests")


def module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class Import(NamedTuple):
    """That one module of ours reads another."""

    by: str
    of: str


def imports() -> Iterator[Import]:
    ours = {module_name(path) for path in code()}
    for path, tree in code().items():
        module = module_name(path)
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        for node in ast.walk(tree):
            for name in imported_names(node, package):
                if name.split(".")[0] in FLOORS:
                    yield Import(module, name if name in ours else name.rpartition(".")[0])


def imported_names(node: ast.AST, package: str) -> Iterator[str]:
    """Full names of what an import statement brings; `from a import b` may mean the module `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        yield from (f"{origin}.{alias.name}" for alias in node.names)


def functions(trees: dict[str, ast.Module]) -> Iterator[tuple[str, Function]]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path}:{node.lineno} {node.name}", node


def length(function: Function) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def file_lengths(trees: dict[str, ast.Module]) -> dict[str, int]:
    return {path: (ROOT / path).read_text().count("\n") for path in trees}


def test_imports_point_down() -> None:
    def floor(module: str) -> tuple[int, str]:
        package = module.split(".")[0]
        return FLOORS[package], package

    upward = [i for i in imports() if floor(i.of) != floor(i.by) and floor(i.of)[0] >= floor(i.by)[0]]
    assert upward == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for found in imports():
        needs.setdefault(found.by, set()).add(found.of)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_functions_are_short() -> None:
    lengths = sorted(length(function) for _, function in functions(code()))
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 30


def test_no_function_is_long() -> None:
    assert [place for place, function in functions(everything()) if length(function) > 50] == []


def test_files_are_short() -> None:
    assert statistics.median(file_lengths(code()).values()) <= 150


def test_no_file_is_long() -> None:
    assert {path: lines for path, lines in file_lengths(everything()).items() if lines > 400} == {}


def test_every_function_says_what_it_returns() -> None:
    assert [place for place, function in functions(code()) if function.returns is None] == []


def test_broad_excepts_stand_at_a_process_edge_only() -> None:
    assert [place for place in broad_excepts() if not place.startswith(PROCESS_EDGES)] == []


def broad_excepts() -> Iterator[str]:
    """Handlers of every error, except those that only tidy up and raise it again."""
    for path, tree in code().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and is_broad(node.type) and not raises_again(node):
                yield f"{path}:{node.lineno}"


def is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(is_broad(each) for each in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize("package", FLOORS)
def test_our_short_package_names_are_ours(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


def test_the_command_line_starts_without_the_slow_libraries() -> None:
    script = "import sys, understudy.cli.main; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    command = [sys.executable, "-c", script, *SLOW_TO_IMPORT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([], "")
