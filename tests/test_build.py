"""What `sam build` makes, on a machine without Lambda's Python and without Docker: what AWS would run."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.bench.packages import UNZIPPED_BYTES_MAX, ZIPPED_BYTES_MAX, Package, sizes, together
from local.template import read

ROOT: Final = Path(__file__).parent.parent
UV: Final = ROOT / ".venv/bin/uv"
SAM: Final = [str(UV), "tool", "run", "--quiet", "--from", "aws-sam-cli==1.170.0", "sam"]
TOOLS: Final = ("make", "sh", "cp", "find", "mkdir", "rm", "realpath", "dirname")
SERVICES: Final = {
    "s3": "s3",
    "dynamodb": "dynamodb",
    "sqs": "sqs",
    "states": "stepfunctions",
    "secretsmanager": "secretsmanager",
    "ses": "sesv2",
}
"""botocore's names of what policies name by a prefix."""
ARM64: Final = 183  # e_machine of an ELF file

TEMPLATE: Final = read(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build, made with nothing but sam, uv and the tools of any shell."""
    tools, made = tmp_path_factory.mktemp("bin"), tmp_path_factory.mktemp("build")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is needed to build"
        (tools / tool).symlink_to(found)
    (tools / "python3").symlink_to(Path(sys.base_prefix) / "bin/python3")  # for sam itself
    command = [*SAM, "build", "--build-dir", str(made), "--cache-dir", str(made / "cache")]
    environment = os.environ | {"PATH": str(tools), "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return made


@pytest.fixture(scope="module")
def packages(build: Path) -> list[Package]:
    return sizes(build)


def files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


def test_everything_is_built(packages: list[Package]) -> None:
    assert {package.name for package in packages} == {"DependenciesLayer", "CauriLayer", *TEMPLATE.functions}


def test_every_package_leaves_half_of_lambdas_limits_free(build: Path, packages: list[Package]) -> None:
    whole = together(packages, build)
    assert whole.keys() == TEMPLATE.functions.keys()
    assert max(whole.values()) < UNZIPPED_BYTES_MAX / 2
    assert max(package.zipped for package in packages) < ZIPPED_BYTES_MAX / 2


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_a_function_s_handler_is_in_its_package(build: Path, name: str) -> None:
    module, _, attribute = TEMPLATE.functions[name].handler.rpartition(".")
    place = build / name / module.replace(".", "/")
    source = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
    names = {getattr(node, "name", None) for node in ast.walk(ast.parse(source.read_text()))}
    names |= {node.id for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Name)}
    assert attribute in names


def test_a_package_has_nothing_that_its_function_never_reads(build: Path) -> None:
    for package in build.iterdir():
        for path in files(package) if package.is_dir() else ():
            inside = path.relative_to(package)
            assert not {"__pycache__", "tests", "bin"} & set(inside.parts), inside
            assert not inside.name.endswith((".asl.yaml", ".pyc", "Makefile")), inside


def test_what_is_compiled_is_compiled_for_lambda(build: Path) -> None:
    libraries = [path for path in files(build / "DependenciesLayer") if ".so" in path.suffixes]
    assert libraries
    for library in libraries:
        assert int.from_bytes(library.read_bytes()[18:20], "little") == ARM64, library.name
        if not library.parent.name.endswith(".libs"):  # those are C's, and of no Python
            assert "cpython-313-aarch64" in library.name or "abi3" in library.name, library.name


def test_what_functions_import_is_in_their_packages(build: Path) -> None:
    """Also what they import late, when a request needs it."""
    layers = build / "DependenciesLayer/python"
    there = {path.name.partition(".")[0] for path in layers.iterdir()} | {"cauri", "snapshot_restore_py"}
    imported: dict[str, str] = {}
    for name in ("CauriLayer", *TEMPLATE.functions):
        for path in (build / name).rglob("*.py"):
            imported |= {module: str(path.relative_to(build)) for module in _imports(path)}
    missing = {module: place for module, place in imported.items() if module not in there | sys.stdlib_module_names}
    assert missing == {}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_the_services_that_roles_name_are_among_those_that_botocore_keeps(build: Path) -> None:
    """In the layer's own botocore: a client of each is made and can describe an operation, its waiters and pages."""
    prefixes = {
        each.action.partition(":")[0] for function in TEMPLATE.functions.values() for each in function.permissions
    }
    services = sorted({SERVICES[prefix] for prefix in prefixes} | {"secretsmanager", "s3", "sns", "ses"})
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
import botocore.session
session = botocore.session.Session()
for service in json.loads(sys.argv[2]):
    client = session.create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert client.meta.service_model.operation_names and client.waiter_names is not None
assert botocore.__file__.startswith(sys.argv[1])
"""
    command = [sys.executable, "-I", "-S", "-c", script, str(build / "DependenciesLayer/python"), json.dumps(services)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_layer_s_packages_are_those_of_the_lock() -> None:
    """When it fails: the command in the first lines of the file."""
    kept = (ROOT / "layers/dependencies/requirements.txt").read_text()
    command = next(line.strip("# ") for line in kept.splitlines() if "uv export" in line).split()
    without_file = command[1 : command.index("-o")]
    exported = subprocess.run([UV, *without_file], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert _pins(kept) == _pins(exported)


def _pins(requirements: str) -> list[str]:
    return [line for line in requirements.splitlines() if not line.lstrip().startswith("#")]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_sets_parameters_that_the_template_has(stage: str) -> None:
    deploy: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())[stage]["deploy"]["parameters"]
    given = dict(each.split("=", 1) for each in deploy["parameter_overrides"])
    assert given.keys() <= TEMPLATE.parameters.keys()
    assert given["Stage"] == stage
    assert deploy["stack_name"] == f"cauri-{stage}"
