"""What the container and Kubernetes files name is there: commands, options, settings, routes, ports."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.main import get_command

from tests.deploy.manifests import CONTAINER, OURS, SERVERS, compose, container, manifests, named, pod, words, workload
from understudy.cli.main import app
from understudy.service.app import create_app
from understudy.settings import Settings, load_settings

PORT = 8321
PROBES = ("startupProbe", "livenessProbe")
CONFIG: dict[str, str] = named("ConfigMap", "understudy")["data"]


def parsed(args: list[str]) -> tuple[str, dict[str, Any]]:
    """The command and the options that arguments mean; unknown ones fail."""
    group = get_command(app)
    name, *rest = args
    command = group.commands[name]  # type: ignore[attr-defined]
    return name, command.make_context(name, rest).params


def routes(tmp_path: Path) -> set[str]:
    return set(create_app(load_settings(home=tmp_path)).openapi()["paths"])


@pytest.mark.parametrize("name", OURS)
def test_what_pods_and_containers_run_is_a_command(name: str) -> None:
    for args in (container(name)["args"], compose()["services"][name]["command"]):
        assert parsed(args)[0] == {"api": "serve"}.get(name, name)


def test_the_image_itself_serves() -> None:
    [line] = re.findall(r"^CMD (\[.*\])$", (CONTAINER / "Containerfile").read_text(), re.MULTILINE)
    name, given = parsed([word.strip('" ') for word in line.strip("[]").split(",")])
    assert (name, given["host"], given["port"]) == ("serve", "0.0.0.0", PORT)


def test_api_processes_leave_the_runs_to_workers() -> None:
    for args in (container("api")["args"], compose()["services"]["api"]["command"]):
        _, given = parsed(args)
        assert (given["host"], given["port"], given["with_worker"]) == ("0.0.0.0", PORT, False)


def test_every_setting_that_is_named_is_one() -> None:
    files = [*manifests(), compose()]
    texts = [word for file in files for word in words(file)]
    texts += re.split(r"[\s#=]+", (CONTAINER / "env.example").read_text())
    texts += re.split(r"[\s=]+", (CONTAINER / "Containerfile").read_text())
    found = {text for text in texts if re.fullmatch(r"UNDERSTUDY_[A-Z_]+", text)} - {"UNDERSTUDY_IMAGE"}
    known = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in found if name.split("__")[0] not in known} == set()
    assert {"UNDERSTUDY_HOME", "UNDERSTUDY_DATABASE_URL", "UNDERSTUDY_REDIS_URL", "UNDERSTUDY_CHROMA_URL"} <= found


def test_what_the_config_map_sets_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CONFIG.items():
        monkeypatch.setenv(name, value)
    for name in ("UNDERSTUDY_DATABASE_URL", "UNDERSTUDY_REDIS_URL"):
        monkeypatch.setenv(name, os.environ.get(name, f"{'redis' if 'REDIS' in name else 'postgresql'}://h/0"))
    settings = load_settings()
    assert settings.drain_grace == float(CONFIG["UNDERSTUDY_DRAIN_GRACE"])
    assert settings.identity.oidc is not None and settings.identity.oidc.client_id == "understudy"
    assert settings.telemetry.log_format == "json"


def test_pods_that_get_the_config_map_name_no_setting_twice() -> None:
    for name in OURS:
        assert container(name)["envFrom"] == [{"configMapRef": {"name": "understudy"}}]
        assert not {each["name"] for each in container(name)["env"]} & set(CONFIG)


def test_probes_ask_routes_that_there_are(tmp_path: Path) -> None:
    there = routes(tmp_path)
    api = container("api")
    [port] = api["ports"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert api[probe]["httpGet"]["path"] in there and api[probe]["httpGet"]["port"] == port["name"]
    assert port["containerPort"] == PORT
    [looked] = re.findall(r"urlopen\('([^']+)'", (CONTAINER / "Containerfile").read_text())
    assert urlsplit(looked).path in there and urlsplit(looked).port == PORT


@pytest.mark.parametrize("kind", ["kubernetes", "compose"])
def test_a_worker_is_looked_at_where_it_serves_metrics(kind: str) -> None:
    if kind == "kubernetes":
        args, looks = container("worker")["args"], [container("worker")[p]["exec"]["command"] for p in PROBES]
    else:
        service = compose()["services"]["worker"]
        args, looks = service["command"], [service["healthcheck"]["test"]]
    for look in looks:
        [url] = re.findall(r"urlopen\('([^']+)'", look[-1])
        assert (urlsplit(url).port, urlsplit(url).path) == (parsed(args)[1]["metrics_port"], "/metrics")


def test_servers_are_where_the_settings_look_for_them() -> None:
    chroma = urlsplit(CONFIG["UNDERSTUDY_CHROMA_URL"])
    assert chroma.hostname == named("Service", "chroma")["metadata"]["name"]
    for name in SERVERS:
        [offered], [inside] = named("Service", name)["spec"]["ports"], container(name)["ports"]
        assert (offered["targetPort"], offered["port"]) == (inside["name"], inside["containerPort"])
    assert chroma.port == container("chroma")["ports"][0]["containerPort"]
    environment = compose()["services"]["api"]["environment"]
    for setting, name in (("DATABASE_URL", "postgres"), ("REDIS_URL", "redis"), ("CHROMA_URL", "chroma")):
        url = re.sub(r"\$\{[^}]*\}", "x", environment[f"UNDERSTUDY_{setting}"])
        assert (urlsplit(url).hostname, urlsplit(url).port) == (
            name,
            named("Service", name)["spec"]["ports"][0]["port"],
        )


def test_selectors_select_pods() -> None:
    for each in manifests():
        if each["kind"] in ("Deployment", "StatefulSet"):
            wanted = each["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= each["spec"]["template"]["metadata"]["labels"].items()
        elif each["kind"] == "Service":
            app_ = each["spec"]["selector"]["app"]
            assert pod(app_)["metadata"]["labels"]["app"] == app_
        elif each["kind"] == "HorizontalPodAutoscaler":
            target = each["spec"]["scaleTargetRef"]
            assert workload(target["name"])["kind"] == target["kind"]
