"""How large the packages are that `sam build` made, against what Lambda takes."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

from local.template.sam import translate

UNZIPPED_BYTES_MAX: Final = 250 * 1024 * 1024
"""Of a function and its layers together."""
ZIPPED_BYTES_MAX: Final = 50 * 1024 * 1024
"""Of one archive that is uploaded directly; through a bucket, as SAM does it, more is allowed."""


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    files: int
    unzipped: int
    zipped: int


def sizes(build: Path) -> list[Package]:
    """Every layer and function of a build directory of SAM, layers first. In bytes."""
    return [_package(directory) for directory in sorted(build.iterdir(), key=_layers_first) if directory.is_dir()]


def together(packages: list[Package], build: Path) -> Mapping[str, int]:
    """Unzipped bytes of each function with its layers."""
    size = {package.name: package.unzipped for package in packages}
    return {name: size[name] + layers for name, layers in _of_layers(size, build).items()}


def _of_layers(size: Mapping[str, int], build: Path) -> dict[str, int]:
    resources: dict[str, Any] = translate(build / "template.yaml")["Resources"]
    functions = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    # SAM adds ten digits of a hash to a layer's logical id.
    return {name: sum(size[layer["Ref"][:-10]] for layer in one["Layers"]) for name, one in functions.items()}


def _layers_first(directory: Path) -> tuple[bool, str]:
    return not directory.name.endswith("Layer"), directory.name


def _package(directory: Path) -> Package:
    files = [path for path in directory.rglob("*") if path.is_file()]
    with TemporaryFile() as archive:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in files:
                zipped.write(path, path.relative_to(directory))
        size = archive.tell()
    return Package(directory.name, len(files), sum(path.stat().st_size for path in files), size)
