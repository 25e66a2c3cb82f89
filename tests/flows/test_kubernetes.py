"""The template of jobs on Kubernetes, and the image that they run."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import kubernetes_validate
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from tests.conftest import ROOT
from tests.flows.conftest import Server

TEMPLATE = ROOT / "deploy" / "kubernetes.json"
RELEASE = "1.30"
"""Of Kubernetes."""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TEMPLATE.read_text())
    return found


def _manifest(template: dict[str, Any], **values: Any) -> dict[str, Any]:
    """What the worker of Prefect makes of it for a flow run."""

    async def filled() -> KubernetesWorkerJobConfiguration:
        # Nothing is asked of it; without one a server would start.
        async with PrefectClient("http://127.0.0.1:9/api") as client:
            return await KubernetesWorkerJobConfiguration.from_template_and_values(
                template, values, client=client
            )

    made = asyncio.run(filled())
    made.prepare_for_flow_run(FlowRun(name="Quick Fox", flow_id=uuid4()))
    manifest: dict[str, Any] = made.job_manifest
    return manifest


def _container(manifest: dict[str, Any]) -> Any:
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    return found


def test_each_variable_is_used_and_each_place_is_filled(template: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(template["variables"])
    used = set(re.findall(r"{{ (\w+) }}", json.dumps(template["job_configuration"])))
    assert used == set(template["variables"]["properties"])
    for name, field in template["variables"]["properties"].items():
        jsonschema.validate(field["default"], field)
        assert field["title"], name


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"gpus": 0, "cpu": "500m", "memory": "2Gi"},
        {"env": {"SYNTHGEN_RUNS": "/runs"}, "service_account_name": "jobs", "namespace": "team"},
    ],
)
def test_the_job_is_one_that_kubernetes_takes(
    template: dict[str, Any], values: dict[str, Any]
) -> None:
    manifest = _manifest(template, **values)
    kubernetes_validate.validate(manifest, RELEASE, strict=True)
    container = _container(manifest)
    assert container["resources"]["limits"]["nvidia.com/gpu"] == values.get("gpus", 1)
    assert container["args"] == ["prefect", "flow-run", "execute"]
    assert {"name": "runs", "mountPath": "/runs"} in container["volumeMounts"]
    pod = manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    given = {one["name"]: one.get("value") for one in container["env"]}
    assert values.get("env", {}).items() <= given.items()


def test_the_schema_finds_a_misplaced_field(template: dict[str, Any]) -> None:
    wrong = copy.deepcopy(template)
    wrong["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]["gpus"] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match="gpus"):
        kubernetes_validate.validate(_manifest(wrong), RELEASE, strict=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_takes_the_template(server: Server, tmp_path: Path) -> None:
    pool = ("work-pool", "create", "clusters", "--type", "kubernetes")
    given = ("-m", "prefect", *pool, "--base-job-template", str(TEMPLATE))
    with server.python(*given, cwd=tmp_path) as process:
        out, error = process.communicate(timeout=120)
    assert process.returncode == 0, out + error


def test_the_image_is_made_of_what_there_is() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    }
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    assert copied == kept
    (installed,) = [line for line in lines if "pip install" in line]
    (extras,) = re.findall(r"'\.\[(.*)\]'", installed)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)


def test_the_dockerfile_is_in_order() -> None:
    ended = subprocess.run(
        [str(Path(sys.executable).parent / "hadolint"), str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
