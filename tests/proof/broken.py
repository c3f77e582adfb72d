"""Builds that are broken on purpose: a database whose writes have lost one of their conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cauri.books.commit import Books
from cauri.books.database import Database

from tests.proof.faults import FaultyProvider, Script, ScriptedDatabase
from tests.proof.worlds import World
from tests.shop import no_pause

ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"


@dataclass(frozen=True)
class Condition:
    """Which conditions are lost: those of writes to items of a table whose key begins so, and that say `about`."""

    table: str
    begins: str = ""
    about: str = ""

    def is_of(self, action: str, request: dict[str, Any]) -> bool:
        if action not in ("Put", "Update", "PutItem", "UpdateItem") or "ConditionExpression" not in request:
            return False
        pk = (request.get("Item") or request["Key"])["pk"]["S"]
        names = str(request.get("ExpressionAttributeNames", "")) + request["ConditionExpression"]
        return (
            request["TableName"].endswith(f"-{self.table}")
            and pk.partition("#")[2].startswith(self.begins)
            and self.about in names
        )


class Careless(ScriptedDatabase):
    """One that writes whatever it is told to, where the condition is lost."""

    def __init__(self, origin: Database, script: Script, lost: Condition, *, submitted_first: bool = False) -> None:
        super().__init__(origin, script, submitted_first=submitted_first)
        self._lost = lost

    def send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            writes = [
                {action: self._without(action, asked) for action, asked in each.items()}
                for each in request["TransactItems"]
            ]
            request = request | {"TransactItems": writes}
        return super().send(operation, self._without(operation, request))

    def _without(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        if not self._lost.is_of(action, request):
            return request
        # The condition stays in it, so that its names and values are still of use; and it always holds.
        return request | {"ConditionExpression": f"{request['ConditionExpression']} OR {ALWAYS}"}


@dataclass
class BrokenWorld(World):
    """A world whose processes all run the broken build."""

    lost: Condition = field(default_factory=lambda: Condition(""))

    def process(self, script: Script | None = None, *, submitted_first: bool = False) -> Books:
        script = script or Script()
        return Books(
            Careless(self.shop.database, script, self.lost, submitted_first=submitted_first),
            self.shop.clock,
            providers={"demo": FaultyProvider(self.shop.provider, script)},
            settings=self.shop.books.settings,
            pause=no_pause,
        )
