"""What the interpreter's process runs.

It runs executions and nothing else: what is to be kept, the front keeps. Messages are JSON, both ways:

    from the front   define, start, stop, success, failure, heartbeat, history, status; result (of a call)
    to the front     ended (of an execution); invoke, call; reply (to a question)
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, StateMachineType
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS

from local.machines.adaptations import TaskSettledError, TokenEndpoint, TokenPool, client_error, install
from local.workers.wire import BlockingChannel, Kind

Body = dict[str, Any]


class InvalidTokenError(Exception):
    """No running execution waits for this token."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What moto's execution reads of a state machine, and its program, parsed once."""

    arn: str
    name: str
    definition: str
    sm_type: StateMachineType
    program: EvalComponent


class Worker(ExecutionWorker):  # type: ignore[misc]
    """Runs a program that is parsed already: parsing costs more than all the rest of a short execution."""

    def __init__(self, run: "Run", program: EvalComponent, details: EvaluationDetails) -> None:
        super().__init__(details, Ending(run), cloud_watch_logging_session=None, activity_store={})
        self._run = run
        self._program = program

    def _get_evaluation_entrypoint(self) -> EvalComponent:
        return self._program

    def _execution_logic(self) -> None:
        try:
            super()._execution_logic()
        except Exception as error:  # noqa: BLE001 whatever breaks the interpreter fails the execution, and is told
            self._run.broke(error)


class Run(Execution):  # type: ignore[misc]
    """One execution, which tells `ended` when it is over."""

    def __init__(self, machine: Machine, start: Mapping[str, Any], ended: Callable[["Run"], None]) -> None:
        _, _, _, region, account, *_ = start["arn"].split(":")
        super().__init__(
            name=start["name"],
            sm_type=machine.sm_type,
            role_arn=f"arn:aws:iam::{account}:role/local",
            exec_arn=start["arn"],
            account_id=account,
            region_name=region,
            state_machine=machine,
            start_date=datetime.fromtimestamp(start["started_at"], UTC),
            cloud_watch_logging_session=None,
            activity_store={},
            input_data=start["input"],
        )
        self.ended = ended

    def _get_start_execution_worker(self) -> ExecutionWorker:
        details = EvaluationDetails(
            self._get_start_aws_execution_details(),
            self.get_start_execution_details(),
            self.get_start_state_machine_details(),
        )
        return Worker(self, self.state_machine.program, details)

    error: str | None
    cause: str | None

    def broke(self, error: Exception) -> None:
        """The interpreter itself failed."""
        self.exec_status = ExecutionStatus.FAILED
        self.error, self.cause = "States.Runtime", f"{type(error).__name__}: {error}"
        self.ended(self)

    def abort(self, error: str | None, cause: str | None) -> None:
        """End now. The threads find out by themselves; those that wait for a token at once."""
        while (tokens := self.tokens) is None:
            time.sleep(0.001)  # its thread is about to begin
        self.stop(datetime.now(UTC), error, cause)
        self.exec_status = ExecutionStatus.ABORTED
        self.error, self.cause = error, cause
        self.ended(self)
        tokens.interrupt()

    @property
    def tokens(self) -> TokenPool | None:
        """None until its thread has begun."""
        environment = self.exec_worker.env
        return None if environment is None else environment.callback_pool_manager

    @property
    def parked(self) -> bool:
        """Whether it waits for something outside itself."""
        tokens = self.tokens
        return tokens is not None and tokens.parked.count > 0

    def history(self) -> list[Body]:
        events: list[Body] = self.to_history_output()["events"]
        return events


class Ending(BaseExecutionWorkerCommunication):  # type: ignore[misc]
    def terminated(self) -> None:
        super().terminated()
        self.execution.ended(self.execution)


class Interpreter:
    def __init__(self, channel: BlockingChannel) -> None:
        self._channel = channel
        self._sending = threading.Lock()
        self._calls: dict[int, Future[Body]] = {}
        self._ids = itertools.count(1)
        self._machines: dict[str, Machine] = {}
        self._runs: dict[str, Run] = {}
        self._operations: Mapping[str, Callable[[Body], Any]] = {
            "define": self._define,
            "start": self._start,
            "stop": self._stop,
            "success": self._success,
            "failure": self._failure,
            "heartbeat": self._heartbeat,
            "history": self._history,
            "status": self._status,
            "result": self._result,
        }

    def serve(self) -> None:
        while (received := self._channel.receive()) is not None:
            message = json.loads(received[1])
            try:
                answer = {"ok": self._operations[message["op"]](message)}
            except (TaskSettledError, InvalidTokenError) as refused:
                answer = {"error": type(refused).__name__}
            if "question" in message:
                self._send({"op": "reply", "question": message["question"], **answer})

    def invoke(self, function: str, payload: bytes) -> Mapping[str, Any]:
        answer = self._ask({"op": "invoke", "function": function, "payload": payload.decode()})
        failed = {"FunctionError": "Unhandled"} if answer["failed"] else {}
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.loads(answer["payload"]), **failed}

    def call(self, service: str, action: str, parameters: Mapping[str, Any]) -> Body:
        message = {"op": "call", "service": service, "action": action, "parameters": parameters}
        answer: Body = self._ask(message)["answer"]
        return answer

    def _ask(self, message: Body) -> Body:
        call = next(self._ids)
        future = self._calls[call] = Future()
        self._send({**message, "call": call})
        answer = future.result()
        if "code" in answer:
            raise client_error(answer["code"], answer["message"], message["op"])
        return answer

    def _send(self, message: Body) -> None:
        body = json.dumps(message, default=str).encode()
        with self._sending:
            self._channel.send(Kind.MESSAGE, body)

    def _result(self, message: Body) -> None:
        self._calls.pop(message["call"]).set_result(message)

    def _define(self, message: Body) -> None:
        program, _ = AmazonStateLanguageParser.parse(message["definition"])
        kind = StateMachineType.EXPRESS if message["express"] else StateMachineType.STANDARD
        arn = message["arn"]
        self._machines[arn] = Machine(arn, message["name"], message["definition"], kind, program)

    def _start(self, message: Body) -> None:
        run = Run(self._machines[message["machine"]], message, self._ended)
        self._runs[run.exec_arn] = run
        run.start()

    def _ended(self, run: Run) -> None:
        """Tell of an end, once: what was stopped may still fail."""
        if self._runs.pop(run.exec_arn, None) is None:
            return
        if run.tokens is not None:
            run.tokens.forget()
        TMP_THREADS.clear()  # moto keeps every thread it ever started
        self._send(
            {
                "op": "ended",
                "arn": run.exec_arn,
                "status": run.status,
                "output": json.dumps(run.output) if run.output is not None else None,
                "error": run.error,
                "cause": run.cause,
                "history": run.history(),
            }
        )

    def _stop(self, message: Body) -> None:
        run = self._runs.get(message["arn"])
        if run is not None:
            run.abort(message.get("error"), message.get("cause"))

    def _endpoint(self, token: str) -> TokenEndpoint:
        if token not in TokenPool.endpoints:
            raise InvalidTokenError
        return TokenPool.endpoints[token]

    def _success(self, message: Body) -> None:
        token = message["token"]
        self._endpoint(token).notify(CallbackOutcomeSuccess(token, message["output"]))

    def _failure(self, message: Body) -> None:
        token = message["token"]
        self._endpoint(token).notify(CallbackOutcomeFailure(token, message.get("error"), message.get("cause")))

    def _heartbeat(self, message: Body) -> None:
        endpoint = self._endpoint(message["token"])
        if endpoint.consumer_error is not None or endpoint.get_outcome() is not None:
            raise TaskSettledError
        endpoint.notify_heartbeat()

    def _history(self, message: Body) -> list[Body]:
        run = self._runs.get(message["arn"])
        return [] if run is None else run.history()

    def _status(self, message: Body) -> Body:
        runs = list(self._runs.values())
        return {"open": len(runs), "runnable": sum(not run.parked for run in runs), "threads": threading.active_count()}


def main(descriptor: str) -> None:
    channel = BlockingChannel(int(descriptor))
    interpreter = Interpreter(channel)
    install(interpreter)
    channel.send(Kind.READY, b"")
    interpreter.serve()
