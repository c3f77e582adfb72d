"""SAM's own translator, run without AWS: what it deploys is what we read."""

import json
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# SAM translates what `sam package` has uploaded. A local directory takes the shape of an upload to this bucket.
CODE_BUCKET: Final = "local"
LOCAL_PATHS: Final = ("CodeUri", "ContentUri", "DefinitionUri")
# It asks the session for its region only, to choose among the partitions of AWS.
REGION: Final = "us-east-1"


class TemplateError(ValueError):
    """SAM refuses the template. The message names the resources and what is wrong with each."""


def translate(path: Path) -> dict[str, Any]:
    """The template at `path` as plain CloudFormation, its code still where it is. Raises TemplateError."""
    # The round trip unties what YAML anchors tie: the translator changes in place what it reads.
    document = json.loads(json.dumps(yaml_parse(path.read_text(encoding="utf-8"))))
    for resource in document["Resources"].values():
        _package(resource.get("Properties", {}))
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    try:
        translated: dict[str, Any] = translator.translate(document, {}, passthrough_metadata=True)
    except InvalidDocumentException as refused:
        raise TemplateError("; ".join(cause.message for cause in refused.causes)) from refused
    finally:
        translator.metrics.publish()  # to nobody; left unpublished, it warns on standard error
    return translated


def _package(properties: dict[str, Any]) -> None:
    for name in LOCAL_PATHS:
        if isinstance(properties.get(name), str):
            properties[name] = f"s3://{CODE_BUCKET}/{properties[name].strip('/')}"
