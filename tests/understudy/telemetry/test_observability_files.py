"""The dashboard, the alert rules and the table of metrics speak of metrics that there are."""

import json
import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # ships no types

from understudy.telemetry.families import FAMILIES, as_table
from understudy.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "deploy" / "observability" / "grafana.json"
ALERTS = ROOT / "deploy" / "observability" / "alerts.yaml"


def exposed() -> set[str]:
    """Every name that a query can use."""
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    return {family.name + suffix for family in FAMILIES for suffix in suffixes[family.kind]}


def named(text: str) -> set[str]:
    return set(re.findall(r"\bunderstudy_\w+", text))


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    return [t["expr"] for panel in panels for t in panel.get("targets", [])] + [rule["expr"] for rule in rules]


def test_every_family_is_registered_once() -> None:
    registered = {metric.name for metric in Metrics().registry.collect()}
    assert registered == {family.name for family in FAMILIES}


@pytest.mark.parametrize("expression", expressions())
def test_queries_name_metrics_that_there_are(expression: str) -> None:
    assert named(expression)
    assert named(expression) <= exposed()
    assert expression.count("(") == expression.count(")")


def test_queries_name_labels_that_their_metrics_have() -> None:
    labels = {label for family in FAMILIES for label in family.labels}
    used = {name for e in expressions() for names in re.findall(r"by \(([^)]*)\)", e) for name in names.split(", ")}
    filtered = {name for e in expressions() for name in re.findall(r"[{,](\w+)=~?\"", e)}
    assert (used | filtered) - {"le"} <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    on_it = named(DASHBOARD.read_text())
    assert [f.name for f in FAMILIES if not any(name.startswith(f.name) for name in on_it)] == []


def test_every_metric_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "observability.md").read_text()
    written = manual.partition("<!-- metrics -->\n")[2].partition("\n<!-- /metrics -->")[0]
    assert written == as_table()


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
