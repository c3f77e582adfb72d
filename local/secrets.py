"""As much of Secrets Manager as functions use, over the texts that the local cloud keeps."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local.aws import AwsError
from local.environment import Names
from local.template import Template

MAKES: Final[Mapping[str, Callable[[], str]]] = {
    "PaystackKeys": lambda: f"sk_test_{secrets.token_hex(20)}",
    "TilliPayKeys": lambda: ":".join(secrets.token_hex(12) for _ in range(3)),
    "RewardsKeys": lambda: f"rewards_{secrets.token_hex(20)}",
}
"""How the parties that are played here make their keys up."""


class Secrets:
    """Secrets go by their ARN, or their logical id."""

    def __init__(self, template: Template, names: Names) -> None:
        self._template = template
        self._names = names

    async def call(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        name = body["SecretId"].rpartition(":secret:")[2]
        if name not in self._template.secrets:
            raise AwsError("ResourceNotFoundException", f"there is no secret {name}")
        described = {"ARN": self._names.arn(name), "Name": name}
        match action:
            case "GetSecretValue":
                return described | {"SecretString": self._names.secret(name)}
            case "PutSecretValue":
                self._names.keep_secret(name, body["SecretString"])
                return described
        raise AwsError("UnsupportedOperation", f"the local cloud does not know {action}")

    def admit(self, name: str, tenant: str) -> str:
        """The tenant's first key in the secret, made up if it has none. Raises KeyError for no such secret."""
        keys: dict[str, list[str]] = json.loads(self._names.secret(name))
        if tenant not in keys:
            keys[tenant] = [MAKES[name]()]
            self._names.keep_secret(name, json.dumps(keys))
        return keys[tenant][0]

    def tenant_of(self, name: str, key: str) -> str | None:
        """Whose key this is, where the secret holds keys by tenant."""
        return next((tenant for tenant, live in self._keys(name) if live == key), None)

    def begun(self, name: str, begins: str) -> tuple[str, str] | None:
        """Whose key begins so, and the last part of it."""
        return next(((tenant, key.split(":")[-1]) for tenant, key in self._keys(name) if key.startswith(begins)), None)

    def _keys(self, name: str) -> Iterator[tuple[str, str]]:
        keys: dict[str, list[str]] = json.loads(self._names.secret(name))
        return ((tenant, key) for tenant, live in keys.items() for key in live)
