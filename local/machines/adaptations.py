"""moto's Step Functions interpreter (5.2.5), adapted: what it does by HTTP to itself goes to the front instead.

Installed once, in the interpreter's own process, by `install`. Each adaptation says which fact of moto it answers.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component import eval_component
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
    state_task_service_sfn,
    state_task_service_sqs,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval import environment
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackConsumerTimeout,
    CallbackEndpoint,
    CallbackOutcome,
    CallbackPoolManager,
    HeartbeatEndpoint,
)

# A task whose time is over stops listening this long before its state times out, so that an answer is either
# taken in time or refused: moto's own listener ends a little after its state, and would take one for nobody.
LISTEN_MARGIN_SECONDS: Final = 0.05


class Front(Protocol):
    """What the interpreter can ask of the front. Both raise ClientError."""

    def invoke(self, function: str, payload: bytes) -> Mapping[str, Any]:
        """As Lambda's Invoke answers, with the payload as a value."""

    def call(self, service: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """An action of another service of ours."""


class TaskSettledError(Exception):
    """The task has its answer, or its time was over. AWS calls it TaskTimedOut."""


class TokenEndpoint(CallbackEndpoint):  # type: ignore[misc]
    """A task that waits for its token. The first answer counts, and none after the wait is over.

    moto lets a second answer overwrite the first, and says yes to one that comes too late.
    """

    def __init__(self, callback_id: str, pool: "TokenPool") -> None:
        super().__init__(callback_id)
        self._pool = pool
        self._lock = threading.Lock()

    def notify(self, outcome: CallbackOutcome) -> None:
        with self._lock:
            if self._outcome is not None or self.consumer_error is not None:
                raise TaskSettledError
            super().notify(outcome)

    def wait(self, timeout: float | None = None) -> CallbackOutcome | None:
        with self._pool.parked:
            self._notify_event.wait(None if timeout is None else max(0.0, timeout - LISTEN_MARGIN_SECONDS))
        self._close()
        return self._outcome

    def setup_heartbeat_endpoint(self, heartbeat_seconds: int) -> HeartbeatEndpoint:
        self._heartbeat_endpoint = TokenHeartbeat(heartbeat_seconds, self._pool)
        return self._heartbeat_endpoint

    def interrupt_all(self) -> None:
        self._close()
        super().interrupt_all()

    def _close(self) -> None:
        with self._lock:
            if self._outcome is None:
                self.consumer_error = CallbackConsumerTimeout()


class TokenHeartbeat(HeartbeatEndpoint):  # type: ignore[misc]
    """The wait of a task that also has to show signs of life."""

    def __init__(self, heartbeat_seconds: int, pool: "TokenPool") -> None:
        super().__init__(heartbeat_seconds)
        self._pool = pool

    def clear_and_wait(self) -> bool:
        with self._pool.parked:
            alive: bool = super().clear_and_wait()
            return alive


class Parked:
    """Counts the threads that wait for something outside: a task token, or a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.count -= 1


class TokenPool(CallbackPoolManager):  # type: ignore[misc]
    """The tokens of one execution, known to all: moto looks for a token in every execution there is."""

    endpoints: Final[dict[str, TokenEndpoint]] = {}

    def __init__(self, activity_store: dict[str, Any]) -> None:
        super().__init__(activity_store)
        self.parked = Parked()

    def add(self, callback_id: str) -> TokenEndpoint:
        endpoint = TokenEndpoint(callback_id, self)
        self._pool[callback_id] = self.endpoints[callback_id] = endpoint
        return endpoint

    def interrupt(self) -> None:
        """Nobody is to wait any more."""
        for endpoint in list(self._pool.values()):
            endpoint.interrupt_all()

    def forget(self) -> None:
        """The execution is over, and its tokens with it."""
        for callback_id in self._pool:
            self.endpoints.pop(callback_id, None)


class FrontClient:
    """Stands in for a boto client: `client.send_message(QueueUrl=…)`."""

    def __init__(self, front: Front, service: str) -> None:
        self._front = front
        self._service = service

    def __getattr__(self, action: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(part.capitalize() for part in action.split("_"))
        return lambda **parameters: self._front.call(self._service, operation, parameters)


def client_error(code: str, text: str, operation: str) -> ClientError:
    details: Any = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": ""},
    }
    return ClientError(details, operation)


def install(front: Front) -> None:
    _send_calls_to(front)
    _count_waits()
    _make_components_shareable()
    _spare_threads()
    environment.CallbackPoolManager = TokenPool


def _send_calls_to(front: Front) -> None:
    """moto makes a boto3 client per task (5 ms each), for an HTTP call to its own server."""

    def invoke(parameters: Mapping[str, Any], region: str, state_credentials: object) -> Mapping[str, Any]:
        return front.invoke(parameters["FunctionName"], parameters["Payload"])

    def client_for(region: str, service: str, state_credentials: object = None) -> FrontClient:
        return FrontClient(front, service)

    lambda_eval_utils._invoke_lambda_function = invoke
    for module in (state_task_service_sqs, state_task_service_sfn, state_task_service_aws_sdk):
        module.boto_client_for = client_for


def _count_waits() -> None:
    interval = WaitFunction._wait_interval

    def counted(self: WaitFunction, env: environment.Environment, wait_seconds: float) -> None:
        with env.callback_pool_manager.parked:
            interval(self, env, wait_seconds)

    WaitFunction._wait_interval = counted


def _make_components_shareable() -> None:
    """One parsed program serves every execution, so a component's key must not depend on who asks first.

    And moto writes the whole component as text into its log at every failure, log or no log.
    """
    component = eval_component.EvalComponent
    component.heap_key = property(lambda self: f"{id(self):x}")
    component._log_failure_event_exception = lambda self, failure_event_exception: None
    component._log_exception = lambda self, exception: None


def _spare_threads() -> None:
    """moto gives every program a second thread to be able to time it out, also when it has no time limit."""
    threaded = Program.eval

    def evaluate(self: Program, env: environment.Environment) -> None:
        if self.timeout_seconds is not None:
            threaded(self, env)
            return
        env.next_state_name = self.start_at.start_at_name
        eval_component.EvalComponent.eval(self, env)

    Program.eval = evaluate
