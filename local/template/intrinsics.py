"""Makes CloudFormation values plain: the intrinsics that `FUNCTIONS` lists, and references to secrets."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from local.template.model import Value

# ${Name} and ${Resource.Attribute}; ${!Name} is the way to write a literal ${Name}.
PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^${}]+)\}")
DYNAMIC: Final = "{{resolve:"
# The id is a name or a whole ARN, whose own colons must not be taken for the separators that follow it.
SECRET: Final = re.compile(
    r"\{\{resolve:secretsmanager:"
    r"(?P<id>arn:[^:{}]+:secretsmanager:[^:{}]+:[^:{}]+:secret:[^:{}]+|[^:{}]+)"
    r"(?::SecretString(?::(?P<key>[^:{}]*))?(?::[^:{}]*){0,2})?\}\}"
)


class Lookup(Protocol):
    """What the place that hosts the template answers. Each raises KeyError for a name that it does not know."""

    def ref(self, name: str) -> str:
        """The value of a parameter, of a pseudo parameter (`AWS::Region`) or of a resource's Ref."""

    def attribute(self, logical_id: str, attribute: str) -> str:
        """The value of Fn::GetAtt."""

    def secret(self, secret_id: str) -> str:
        """The text of the secret with this name or ARN."""


class UnsupportedIntrinsicError(ValueError):
    """The template uses a function that nothing here understands."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A lookup that knows parameters only: names are made of these, before anything exists."""

    values: Mapping[str, str]

    def ref(self, name: str) -> str:
        return self.values[name]

    def attribute(self, logical_id: str, attribute: str) -> str:
        raise KeyError(f"{logical_id}.{attribute}")

    def secret(self, secret_id: str) -> str:
        raise KeyError(secret_id)


def resolve(value: Value, lookup: Lookup) -> Any:
    """`value` with every intrinsic and every secret reference replaced by what `lookup` answers.

    Raises KeyError for an unknown name, and UnsupportedIntrinsicError for a function not named above.
    """
    match value:
        case str():
            return _with_secrets(value, lookup)
        case list():
            return [resolve(item, lookup) for item in value]
        case dict() if _intrinsic(value):
            [(function, argument)] = value.items()
            return _with_secrets(_evaluate(function, argument, lookup), lookup)
        case dict():
            return {key: resolve(item, lookup) for key, item in value.items()}
        case _:
            return value


def references(value: Value) -> str:
    """The logical id that `value` (a Ref, a GetAtt, or a Sub of one alone) stands for."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(dotted)}:
            return dotted.partition(".")[0]
        case {"Fn::Sub": str(text)} if found := PLACEHOLDER.fullmatch(text):
            return found[2].partition(".")[0]
    raise UnsupportedIntrinsicError(f"not a reference to one resource: {value!r}")


def _intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def _evaluate(function: str, argument: Value, lookup: Lookup) -> Any:
    evaluate = FUNCTIONS.get(function)
    if evaluate is None:
        raise UnsupportedIntrinsicError(function)
    return evaluate(argument, lookup)


def _ref(argument: Value, lookup: Lookup) -> str:
    return lookup.ref(argument)


def _get_att(argument: Value, lookup: Lookup) -> str:
    logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return lookup.attribute(logical_id, resolve(attribute, lookup))


def _sub(argument: Value, lookup: Lookup) -> str:
    text, variables = (argument, {}) if isinstance(argument, str) else argument

    def replacement(found: re.Match[str]) -> str:
        literal, name = found[1], found[2].strip()
        if literal:
            return "${" + name + "}"
        if name in variables:
            return str(resolve(variables[name], lookup))
        logical_id, _, attribute = name.partition(".")
        return lookup.attribute(logical_id, attribute) if attribute else lookup.ref(name)

    return PLACEHOLDER.sub(replacement, text)


def _join(argument: Value, lookup: Lookup) -> str:
    separator, parts = argument
    return str(separator).join(str(part) for part in resolve(parts, lookup))


def _select(argument: Value, lookup: Lookup) -> Any:
    index, items = argument
    return resolve(items, lookup)[int(resolve(index, lookup))]


def _split(argument: Value, lookup: Lookup) -> list[str]:
    separator, text = argument
    return str(resolve(text, lookup)).split(separator)


FUNCTIONS: Final[Mapping[str, Callable[[Value, Lookup], Any]]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
}


def _with_secrets(value: Any, lookup: Lookup) -> Any:
    if not isinstance(value, str) or DYNAMIC not in value:
        return value

    def replacement(found: re.Match[str]) -> str:
        text = lookup.secret(found["id"])
        return str(json.loads(text)[found["key"]]) if found["key"] else text

    plain = SECRET.sub(replacement, value)
    if DYNAMIC in plain:
        raise UnsupportedIntrinsicError(value)
    return plain
