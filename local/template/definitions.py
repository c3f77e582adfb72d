"""A state machine's definition: its file, with the template's substitutions filled in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.template.intrinsics import PLACEHOLDER, Lookup, resolve
from local.template.model import StateMachine


def read_definition(machine: StateMachine, directory: Path, lookup: Lookup) -> dict[str, Any]:
    """The Amazon States Language of `machine`, ready to run.

    `directory` is the template's. A placeholder that the template gives no value for is left as it is,
    as CloudFormation leaves it: `${}` is legal inside a string of the language.
    """
    values = resolve(dict(machine.substitutions), lookup)
    raw = machine.definition
    document = yaml.safe_load((directory / raw).read_text(encoding="utf-8")) if isinstance(raw, Path) else raw
    filled: dict[str, Any] = _fill(document, values)
    return filled


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    match value:
        case str() if (whole := PLACEHOLDER.fullmatch(value)) and whole[2] in values:
            return values[whole[2]]  # alone in its string, a number stays a number
        case str():
            return PLACEHOLDER.sub(lambda found: str(values.get(found[2], found[0])), value)
        case list():
            return [_fill(item, values) for item in value]
        case dict():
            return {key: _fill(item, values) for key, item in value.items()}
        case _:
            return value
