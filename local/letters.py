"""Dead letters: what they are, and how each kind is played again.

A queue that nothing consumes holds dead letters. A kind is a `Kind` in `KINDS`: to teach the replay another form of
letter, add one. The forms, first match wins:

- *message*: came from another queue, which tried it too often. Replay: back to that queue.
- *task*: `{"function": "<logical id>", "payload": {...}, "execution": "...", "state": "...", "error": {...}}`, sent by
  a saga whose compensation failed. Replay: invoke the function with the payload.
- *stream*: what Lambda writes of a discarded batch, with the event as `payload`. Replay: invoke the consumer with it.
- *other*: nothing knows how; a person reads it.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.invoker import Invoker
from local.queues import Queue
from local.state import State
from local.streams import consumed
from local.workers.pool import Outcome

Body = Any


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `about` says for people what was to be done; times are Unix seconds."""

    queue: str
    message_id: str
    kind: str
    about: str
    error: str
    sent_at: float
    source: str | None
    body: Body


@dataclass(frozen=True, slots=True)
class Replayed:
    """`problem` is None when the letter was played and is gone; otherwise it is still in its queue."""

    letter: Letter
    problem: str | None


class Letters:
    def __init__(self, queues: Mapping[str, Queue], dead: Iterable[str], state: State, invoker: Invoker) -> None:
        """`queues`: all, by name; `dead`: the names of those that nothing consumes."""
        self._all = queues
        self._queues = {name: queues[name] for name in dead}
        self._state = state
        self._invoker = invoker

    def list(self, queue: str | None = None) -> list[Letter]:
        """Every dead letter, oldest first; of one queue, when named. Raises KeyError for a name that is none."""
        queues = self._queues.values() if queue is None else [self._queues[queue]]
        letters = [_letter(row) for each in queues for row in each.messages()]
        return sorted(letters, key=lambda letter: letter.sent_at)

    async def replay(self, queue: str | None = None, message_id: str | None = None) -> Sequence[Replayed]:
        """Play letters again, one after the other: all, those of one queue, or one."""
        chosen = [letter for letter in self.list(queue) if message_id in (None, letter.message_id)]
        return [Replayed(letter, await self._play(letter)) for letter in chosen]

    async def _play(self, letter: Letter) -> str | None:
        return await KINDS[letter.kind].replay(self, letter)

    async def move_back(self, letter: Letter) -> str | None:
        moved = self._state.execute(
            "update messages set queue = source, source = null, receives = 0, visible_at = 0, receipt = null"
            " where message_id = ? and queue = ?",
            *(letter.message_id, letter.queue),
        )
        if not moved.rowcount or letter.source is None:
            return "no longer there"
        self._all[letter.source].arrived()
        return None

    async def invoke(self, letter: Letter) -> str | None:
        """Invoke the letter's function with its payload, and forget the letter when that went well."""
        outcome = await self._invoker.invoke(letter.body["function"], _json(letter.body["payload"]), background=True)
        return self._forget_if(not outcome.failed, letter, outcome)

    async def consume(self, letter: Letter) -> str | None:
        function, event = letter.body["requestContext"]["functionArn"], letter.body["payload"]
        outcome = await self._invoker.invoke(function, _json(event), background=True)
        complete = consumed(outcome, event["Records"], reports_failures=True) == len(event["Records"])
        return self._forget_if(complete, letter, outcome)

    async def leave(self, letter: Letter) -> str | None:
        return "nothing knows how to replay it"

    def _forget_if(self, done: bool, letter: Letter, outcome: Outcome) -> str | None:
        if not done:
            return outcome.payload.decode()
        self._queues[letter.queue].take(letter.message_id)
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    is_one: Callable[[Body, str | None], bool]
    about: Callable[[Body, str | None], str]
    replay: Callable[[Letters, Letter], Awaitable[str | None]]


KINDS: Final[Mapping[str, Kind]] = {
    "message": Kind(lambda _, source: source is not None, lambda _, source: f"from {source}", Letters.move_back),
    "task": Kind(
        lambda body, _: isinstance(body, dict) and {"function", "payload"} <= body.keys(),
        lambda body, _: f"{body['function']} in {body.get('state', '?')} of {body.get('execution', '?')}",
        Letters.invoke,
    ),
    "stream": Kind(
        lambda body, _: isinstance(body, dict) and {"DDBStreamBatchInfo", "payload"} <= body.keys(),
        lambda body, _: f"{len(body['payload']['Records'])} records for {body['requestContext']['functionArn']}",
        Letters.consume,
    ),
    "other": Kind(lambda body, _: True, lambda body, _: "", Letters.leave),
}


def _letter(row: Mapping[str, Any]) -> Letter:
    body, source = _parsed(row["body"]), row["source"]
    kind = next(name for name, each in KINDS.items() if each.is_one(body, source))
    return Letter(
        queue=row["queue"],
        message_id=row["message_id"],
        kind=kind,
        about=KINDS[kind].about(body, source),
        error=_error(body),
        sent_at=row["sent_at"],
        source=source,
        body=body,
    )


def _parsed(text: str) -> Body:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(body: Body) -> str:
    """The name of the error that a letter carries, in whichever form."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("responseContext", {}).get("functionError") or ""
    return str(error.get("Error") or error.get("code") or error) if isinstance(error, dict) else str(error)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
