"""What the roles of functions allow. AWS's own policies, which SAM adds for logs, traces and sources, are left out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.template.intrinsics import UnsupportedIntrinsicError, references
from local.template.model import Permission

UNDERSTOOD: Final = {"Effect", "Action", "Resource", "Sid"}


def permissions(function: Mapping[str, Any], resources: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Of the function with these properties. Raises UnsupportedIntrinsicError for a statement we would misread."""
    role = resources[references(function["Role"])]
    return tuple(
        permission
        for policy in role["Properties"].get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        for permission in _allowed(statement)
    )


def _allowed(statement: Mapping[str, Any]) -> Iterator[Permission]:
    if statement["Effect"] != "Allow" or statement.keys() - UNDERSTOOD:
        raise UnsupportedIntrinsicError(f"a statement of a policy: {statement!r}")
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Permission(action, resource)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
