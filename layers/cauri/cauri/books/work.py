"""What a context writes of a command: its input, and the function that decides, given the work that it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from cauri.books import log
from cauri.books.caller import Caller
from cauri.books.log import Committed
from cauri.books.plan import Plan
from cauri.books.shelf import Found, Key
from cauri.clock import Instant
from cauri.ids import Ids, LogId, digest

if TYPE_CHECKING:
    from cauri.books.commit import Books

C = TypeVar("C", bound="Command")


class Command:
    """What somebody wants changed: a frozen dataclass whose fields are its whole input."""

    name: ClassVar[str]


class Work:
    """One attempt at one command: who, when, under which log id, and the way to what is stored."""

    def __init__(
        self,
        books: Books,
        caller: Caller,
        log_id: LogId,
        input_hash: str,
        at: Instant,
        *,
        dry_run: bool,
        undo: list[Callable[[], object]],
    ) -> None:
        self.books = books
        self.database = books.database
        self.caller = caller
        self.tenant = caller.tenant
        self.log_id = log_id
        self.input_hash = input_hash
        self.at = at
        self.dry_run = dry_run
        self.ids = Ids(log_id, at)
        self._undo = undo

    @property
    def request(self) -> str:
        """Names this command with this input under this key: what a retry does again, and nothing else does."""
        return digest(self.log_id, self.input_hash)

    def fetch(self, *keys: Key[Any]) -> Found:
        return self.database.fetch(keys)

    def if_refused(self, undo: Callable[[], object]) -> None:
        """Have `undo` called if the command ends in a refusal: for what was done before the commit.

        Not if it ends without an answer, for then nobody knows; what is done before a commit expires by itself.
        """
        self._undo.append(undo)

    @property
    def record_key(self) -> Key[Committed]:
        """Where this command's own record is, if it ran before: for a command that acts before its commit."""
        return log.key_of(self.tenant, self.log_id)


class AlreadyDone(Exception):  # noqa: N818 - not a failure: the quick way to an answer that was given before
    """This command found its own record."""

    def __init__(self, done: Committed) -> None:
        super().__init__("the command ran before")
        self.done = done


DECISIONS: Final[dict[type[Command], Callable[[Any, Work], Plan]]] = {}


def decides(command: type[C]) -> Callable[[Callable[[C, Work], Plan]], Callable[[C, Work], Plan]]:
    """Register the function that decides what `command` changes."""

    def register(decide: Callable[[C, Work], Plan]) -> Callable[[C, Work], Plan]:
        DECISIONS[command] = decide
        return decide

    return register


def commands() -> dict[str, type[Command]]:
    """Every command there is, by name."""
    return {command.name: command for command in DECISIONS}
