"""Aliases of functions. On this machine there is one version of everything, so an alias is the function itself."""

import re
from collections.abc import Mapping
from typing import Any

from local.template.intrinsics import PLACEHOLDER, references


def without_aliases(document: Mapping[str, Any]) -> dict[str, Any]:
    """The translated template with the functions' own ARNs wherever it refers to their aliases."""
    functions = {
        logical_id: references(body["Properties"]["FunctionName"])
        for logical_id, body in document["Resources"].items()
        if body["Type"] == "AWS::Lambda::Alias"
    }
    replaced: dict[str, Any] = _replaced(document, functions)
    return replaced


def _replaced(value: Any, functions: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)} if name in functions:
            return {"Fn::GetAtt": [functions[name], "Arn"]}
        case dict():
            return {key: _replaced(item, functions) for key, item in value.items()}
        case list():
            return [_replaced(item, functions) for item in value]
        case str():
            return PLACEHOLDER.sub(lambda found: _arn(found, functions), value)
        case _:
            return value


def _arn(found: re.Match[str], functions: Mapping[str, str]) -> str:
    return f"${{{functions[found[2]]}.Arn}}" if found[2] in functions else found[0]
