"""Talks to a running local cloud: what `LocalCloud` and the command line ask of it."""

from collections.abc import Sequence
from typing import Any

import httpx


class InvocationError(RuntimeError):
    """The function failed. The message is its error in Lambda's form, JSON."""


class Switchboard:
    def __init__(self, control_url: str) -> None:
        self.url = control_url
        self._http = httpx.Client(base_url=control_url, timeout=120.0, trust_env=False)

    def token(self, *, tenant: str, roles: Sequence[str], **claims: Any) -> str:
        """A bearer token. `claims`: sub, customer_id, vendor_id, email, days."""
        return str(self._ask("token", tenant=tenant, roles=list(roles), **claims)["token"])

    def invoke(self, function: str, event: Any) -> Any:
        """Raises InvocationError, and LookupError for a function that is not there."""
        response = self._http.post(f"/2015-03-31/functions/{function}/invocations", json=event, timeout=None)
        if response.status_code == 404:
            raise LookupError(function)
        if "x-amz-function-error" in response.headers:
            raise InvocationError(response.text)
        return response.json()

    def idle(self, timeout: float = 30.0, horizon: float = 0.0) -> None:
        """Raises TimeoutError, which says what is still busy."""
        answer = self._ask("idle", timeout=timeout, horizon=horizon)
        if not answer["idle"]:
            raise TimeoutError(f"still busy after {timeout} s: {', '.join(answer['busy'])}")

    def hold_streams(self, held: bool) -> None:
        """Keep what follows of a commit from happening, or let it go on."""
        self._ask("hold", held=held)

    def executions(self) -> list[dict[str, Any]]:
        executions: list[dict[str, Any]] = self._ask("executions")
        return executions

    def letters(self, queue: str | None = None) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = self._ask("letters", queue=queue)
        return letters

    def replay(self, queue: str | None = None, message_id: str | None = None) -> list[dict[str, Any]]:
        replayed: list[dict[str, Any]] = self._ask("replay", queue=queue, message_id=message_id)
        return replayed

    def emails(self) -> list[dict[str, Any]]:
        """What was sent, newest first: id, at, sender, to, subject, text, html, attachments (names)."""
        emails: list[dict[str, Any]] = self._ask("emails")
        return emails

    def admit(self, party: str, tenant: str) -> str:
        """Give a tenant a key at an outside party that is played here, if it has none. The key."""
        return str(self._ask("admit", party=party, tenant=tenant))

    def _ask(self, question: str, **arguments: Any) -> Any:
        response = self._http.post(f"/_cauri/{question}", json=arguments)
        response.raise_for_status()
        return response.json()
