"""What can become of a step: its calls fail from one on, or it stands still and goes on when nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ConnectionClosedError
from cauri.providers.ports import Unknown

from tests.proof.faults import URL, Call, Script


class CutOff(Script):
    """The step loses its network at call `at`: this one (before or after it takes effect) and all others fail."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__(at)
        self._after = after

    def play(self, operation: str, request: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
        call = Call(operation, request, effect)
        number = len(self.calls)
        self.calls.append(call)
        assert self.at is not None
        if number < self.at:
            return effect()
        if number == self.at and self._after:
            effect()
        return _no_answer(call)


class Standstill(Script):
    """The step stands still at call `at`, before or after it takes effect, until somebody lets it finish."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__(at)
        self._after = after
        self._finish = threading.Event()
        self._thread: threading.Thread | None = None
        self.stands = threading.Event()
        """Set when it stands still, and also when it is over."""
        self.reached = False
        self.stood_at = -1
        """The number of the call, among those of all steps of its world, at which it stands still."""

    def play(self, operation: str, request: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
        number = len(self.calls)
        self.calls.append(Call(operation, request, effect))
        if number != self.at:
            return effect()
        answer = effect() if self._after else None
        self.reached = True
        self.stands.set()
        self._finish.wait()
        return answer if self._after else effect()

    def run(self, step: Callable[[], object]) -> None:
        """Run the step until it stands still, or to its end."""

        def whole() -> None:
            try:
                step()
            finally:
                self.stands.set()

        self._thread = threading.Thread(target=whole, daemon=True)
        self._thread.start()
        self.stands.wait()

    def finish(self) -> None:
        """Let it go on, and wait until it is over."""
        self._finish.set()
        assert self._thread is not None
        self._thread.join()


def _no_answer(call: Call) -> Any:
    if call.to_provider:
        return Unknown("the connection was lost")
    raise ConnectionClosedError(endpoint_url=URL)
