"""Clouds of a test's own: to be killed, to be quick, or to lack a consumer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.cloud import LocalCloud
from tests.engines import STAGE, TEMPLATE

WORKERS = 2


def cloud_at(data: Path, template: Path = TEMPLATE, **parameters: str) -> LocalCloud:
    """A cloud over `data`, to be started. `parameters` are the template's."""
    return LocalCloud(template, data=data, workers=WORKERS, parameters={"Stage": STAGE, **parameters})


def without_events_of(*functions: str, directory: Path) -> Path:
    """The template, but nothing calls these functions: what they should handle waits where it is."""
    document: Any = json.loads(json.dumps(yaml_parse(TEMPLATE.read_text())))
    for function in functions:
        del document["Resources"][function]["Properties"]["Events"]
    directory.mkdir()
    for code in ("functions", "layers"):
        (directory / code).symlink_to(TEMPLATE.parent / code)
    template = directory / TEMPLATE.name
    template.write_text(json.dumps(document))
    return template
