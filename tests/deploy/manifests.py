"""What the files under `deploy` say, read as data."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
CONTAINER = DEPLOY / "container"
OURS = ("api", "worker", "migrate")
"""Workloads that run the product."""
SERVERS = ("postgres", "redis", "chroma")
_SECONDS = {"s": 1, "m": 60}


def compose() -> dict[str, Any]:
    """The compose file, with what it merges."""
    found: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    return found


def manifests() -> list[dict[str, Any]]:
    """All objects, the kustomization aside."""
    files = sorted(set(KUBERNETES.glob("*.yaml")) - {KUBERNETES / "kustomization.yaml"})
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def kustomization() -> dict[str, Any]:
    """What puts them together."""
    found: dict[str, Any] = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    return found


def named(kind: str, name: str) -> dict[str, Any]:
    """The one object of a kind and a name."""
    [found] = [each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def workload(name: str) -> dict[str, Any]:
    """What makes pods of a name."""
    kinds = ("Deployment", "StatefulSet", "Job")
    [found] = [each for each in manifests() if each["kind"] in kinds and each["metadata"]["name"] == name]
    return found


def pod(name: str) -> dict[str, Any]:
    """The pods of a workload."""
    found: dict[str, Any] = workload(name)["spec"]["template"]
    return found


def container(name: str) -> dict[str, Any]:
    """The only container of a workload's pods."""
    [found] = pod(name)["spec"]["containers"]
    return found  # type: ignore[no-any-return]


def seconds(text: str) -> int:
    """A duration as compose writes it."""
    match = re.fullmatch(r"(\d+)([sm])", text)
    assert match, text
    return int(match[1]) * _SECONDS[match[2]]


def words(value: Any) -> Iterator[str]:
    """All texts in a document, names of fields included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    else:
        yield str(value)
