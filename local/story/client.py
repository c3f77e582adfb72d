"""The API as a shop would call it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

SETTLED: Final = frozenset({"CONFIRMED", "CANCELLED"})
TRIES_MAX: Final = 8


class RefusedError(Exception):
    """The API said no. `problem` is its problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Client:
    """Calls as one person. Commands carry a key of their own, and are sent again under it when the API is busy, or says
    when it would listen again."""

    http: httpx.Client
    api_url: str
    token: str

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params=query)

    def put(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Any:
        return self._send("PUT", path, json=body, key=key)

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Any:
        return self._send("POST", path, json=body, key=key)

    def _send(self, method: str, path: str, *, key: str | None = None, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        for attempt in range(TRIES_MAX):
            answer = self.http.request(method, self.api_url + path, headers=headers, **request)
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                time.sleep(int(answer.headers["Retry-After"]))
            elif answer.status_code == httpx.codes.SERVICE_UNAVAILABLE or _code(answer) == "contended":
                time.sleep(0.05 * 2**attempt)
            else:
                break
        if answer.is_error:
            raise RefusedError(answer.status_code, _body(answer))
        return answer.json()

    def settled(self, order_id: str, *, seconds_max: float = 60.0, seen: Callable[[Any], None] | None = None) -> Any:
        """The order once it is confirmed or cancelled. Raises TimeoutError."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            order = self.get(f"/v1/orders/{order_id}")
            if seen is not None:
                seen(order)
            if order["status"] in SETTLED:
                return order
            time.sleep(0.1)
        raise TimeoutError(f"{order_id} is still {order['status']} after {seconds_max:.0f} s")


def pay(http: httpx.Client, authorization_url: str, outcome: str = "succeed", **more: Any) -> Any:
    """Do as a shopper does on the demo provider's page."""
    answer = http.post(authorization_url, json={"outcome": outcome, **more})
    answer.raise_for_status()
    return answer.json()


def _code(answer: httpx.Response) -> str | None:
    code = _body(answer).get("code") if answer.is_error else None
    return str(code) if code else None


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {"code": "not_json", "detail": answer.text[:200]}
    return body if isinstance(body, dict) else {"detail": body}
