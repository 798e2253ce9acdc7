"""What is deployed runs with few rights, keeps its servers private, and ends in peace."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.deploy.manifests import (
    CONTAINER,
    KUBERNETES,
    OURS,
    SERVERS,
    compose,
    container,
    kustomization,
    manifests,
    named,
    pod,
    seconds,
    words,
)

ROOT = Path(__file__).parents[2]
DRAIN = float(named("ConfigMap", "understudy")["data"]["UNDERSTUDY_DRAIN_GRACE"])


@pytest.mark.parametrize("name", [*OURS, *SERVERS])
def test_pods_have_no_rights_that_they_do_not_need(name: str) -> None:
    spec = pod(name)["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container(name)["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", OURS)
def test_containers_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/data" in str(service["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_what_is_written_has_a_place_though_the_root_is_read_only(name: str) -> None:
    mounts = {each["mountPath"] for each in container(name)["volumeMounts"]}
    assert mounts == {"/data", "/tmp"}
    assert named("ConfigMap", "understudy")["data"]["UNDERSTUDY_HOME"].startswith("/data/")


def test_no_secret_stands_in_a_file() -> None:
    for name in (*OURS, *SERVERS):
        for variable in container(name).get("env", []):
            if re.search("PASSWORD|KEY|_URL$", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], variable
    assert not [each for each in manifests() if each["kind"] == "Secret"]
    passwords = [word for word in words(compose()) if re.search(r"://[^$]*:[^$@]+@", word)]
    assert passwords == []
    empty = dict(line.split("=", 1) for line in (CONTAINER / "env.example").read_text().splitlines() if line[0] != "#")
    assert empty == {"POSTGRES_PASSWORD": "", "REDIS_PASSWORD": ""}


def test_pods_outlive_their_draining() -> None:
    pause = int(container("api")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod("api")["spec"]["terminationGracePeriodSeconds"] > DRAIN + pause
    assert pod("worker")["spec"]["terminationGracePeriodSeconds"] > DRAIN
    from understudy.settings import Settings

    for name in ("api", "worker"):
        grace = seconds(compose()["services"][name]["stop_grace_period"])
        assert grace > Settings.model_fields["drain_grace"].default


def test_only_our_pods_reach_the_servers() -> None:
    closed = named("NetworkPolicy", "closed")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    inward = named("NetworkPolicy", "servers")["spec"]
    [rule], [chosen] = inward["ingress"], inward["podSelector"]["matchExpressions"]
    assert sorted(chosen["values"]) == sorted(SERVERS)
    assert rule["from"] == [{"podSelector": {"matchLabels": {"uses": "servers"}}}]
    ports = {each["port"] for each in rule["ports"]}
    assert ports == {named("Service", name)["spec"]["ports"][0]["port"] for name in SERVERS}
    labelled = {name for name in (*OURS, *SERVERS) if pod(name)["metadata"]["labels"].get("uses") == "servers"}
    assert labelled == set(OURS)


def test_no_other_policy_opens_the_servers() -> None:
    for each in manifests():
        if each["kind"] == "NetworkPolicy" and "ingress" in each["spec"]:
            assert each["metadata"]["name"] in ("servers", "api")
    assert named("NetworkPolicy", "api")["spec"]["podSelector"] == {"matchLabels": {"app": "api"}}
    kinds = {each["spec"].get("type", "ClusterIP") for each in manifests() if each["kind"] == "Service"}
    assert kinds == {"ClusterIP"}


def test_the_servers_of_compose_are_on_a_network_that_leads_nowhere() -> None:
    found = compose()
    assert found["networks"]["inside"] == {"internal": True}
    for name in SERVERS:
        assert found["services"][name]["networks"] == ["inside"] and "ports" not in found["services"][name]
    assert [port.split(":")[0] for port in found["services"]["api"]["ports"]] == ["127.0.0.1"]


def test_redis_answers_only_what_is_on_the_disk() -> None:
    for command in (compose()["services"]["redis"]["command"], container("redis")["command"]):
        for wanted in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction", "--requirepass"):
            assert wanted in command[-1]


def test_some_pods_stay_while_nodes_are_emptied() -> None:
    for name in ("api", "worker"):
        assert named("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"] == {"app": name}


def test_the_kustomization_names_every_file() -> None:
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization()["resources"]) == files
    assert {container(name)["image"] for name in OURS} == {kustomization()["images"][0]["name"]}


def test_the_image_holds_every_package_and_nothing_unpinned() -> None:
    text = (CONTAINER / "Containerfile").read_text()
    ignored = (CONTAINER / "Containerfile.dockerignore").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages == set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    copied = packages | {"requirements.lock", "pyproject.toml", "README.md"}
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert ignored[1] == "*"
    installs = re.findall(r"pip install .*", text)
    assert len(installs) == 2 and all("--no-deps" in line for line in installs)
    assert "--require-hashes" in installs[0] and "--no-build-isolation" in installs[1]


def test_the_image_is_nobodys_root() -> None:
    text = (CONTAINER / "Containerfile").read_text()
    [user] = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)
    assert user == ("10001", "10001")
    assert {pod(name)["spec"]["securityContext"]["runAsUser"] for name in OURS} == {10001}
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
