"""What a template declares, as values. Durations are seconds unless a name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

# A CloudFormation value: JSON with intrinsics still in it. `intrinsics.resolve` makes it plain.
Value = Any

LogicalId = str
KeyType = Literal["S", "N", "B"]


@dataclass(frozen=True, slots=True)
class Keys:
    hash: str
    range: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `included` names the extra attributes of an INCLUDE projection."""

    name: str
    keys: Keys
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    logical_id: LogicalId
    name: str
    keys: Keys
    attributes: Mapping[str, KeyType]
    indexes: tuple[Index, ...] = ()
    stream_view: str | None = None

    @property
    def streams(self) -> bool:
        return self.stream_view is not None


@dataclass(frozen=True, slots=True)
class Permission:
    """An action (`dynamodb:PutItem`) that a role allows on a resource: an ARN."""

    action: str
    resource: Value


@dataclass(frozen=True, slots=True)
class Function:
    logical_id: LogicalId
    code: Path  # relative to the template's directory
    handler: str  # "api.handler"
    timeout: int
    memory_mb: int
    environment: Mapping[str, Value]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()

    @property
    def module(self) -> str:
        """The dotted module of the handler, from the template's directory: `functions.platform.api`."""
        return ".".join((*self.code.parts, *self.handler.split(".")[:-1]))

    @property
    def attribute(self) -> str:
        """The handler's name within its module."""
        return self.handler.rpartition(".")[2]

    @property
    def own_worker(self) -> bool:
        """An outside party that we happen to host: it must never wait behind our own handlers."""
        return self.metadata.get("LocalWorker") == "own"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of an HTTP API. `method` is upper case or ANY; `path` is as in the template, or `$default`."""

    api: LogicalId
    method: str
    path: str
    function: LogicalId


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    logical_id: LogicalId
    function: LogicalId
    auth: Literal["NONE", "AWS_IAM"]


@dataclass(frozen=True, slots=True)
class Redrive:
    dead_letters: LogicalId
    receives_max: int


@dataclass(frozen=True, slots=True)
class Queue:
    logical_id: LogicalId
    name: str | None
    visibility_timeout: int = 30
    delay: int = 0
    retention: int = 345_600
    fifo: bool = False
    deduplicates_by_content: bool = False
    redrive: Redrive | None = None


@dataclass(frozen=True, slots=True)
class QueueConsumer:
    logical_id: LogicalId
    queue: LogicalId
    function: LogicalId
    batch_size: int = 10
    batching_window: int = 0
    reports_failures: bool = False
    concurrency_max: int | None = None


@dataclass(frozen=True, slots=True)
class StreamConsumer:
    """`retries_max` and `record_age_max` are None when AWS would retry until the record expires."""

    logical_id: LogicalId
    table: LogicalId
    function: LogicalId
    starting_position: Literal["TRIM_HORIZON", "LATEST"]
    batch_size: int = 100
    batching_window: int = 0
    parallelization: int = 1
    bisects: bool = False
    retries_max: int | None = None
    record_age_max: int | None = None
    on_failure: LogicalId | None = None
    reports_failures: bool = False
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """`target` is a function or a state machine; `input` is the JSON text it gets."""

    logical_id: LogicalId
    expression: str
    target: LogicalId
    input: Value = None
    timezone: str = "UTC"
    enabled: bool = True
    retries_max: int = 185
    event_age_max: int = 86_400
    dead_letters: LogicalId | None = None


@dataclass(frozen=True, slots=True)
class StateMachine:
    """`definition` is a file relative to the template's directory, or the definition itself."""

    logical_id: LogicalId
    name: str
    definition: Path | Mapping[str, Any]
    substitutions: Mapping[str, Value]
    express: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    default: str | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret is made up (`length` characters), unless the template gives its text."""

    logical_id: LogicalId
    length: int = 32
    excluded_characters: str = ""
    exclude_punctuation: bool = False
    text: Value = None


@dataclass(frozen=True, slots=True)
class Template:
    """All that the local cloud brings to life. Mappings are keyed by logical id."""

    directory: Path
    parameters: Mapping[str, Parameter]
    tables: Mapping[LogicalId, Table]
    functions: Mapping[LogicalId, Function]
    routes: tuple[Route, ...]
    function_urls: Mapping[LogicalId, FunctionUrl]
    queues: Mapping[LogicalId, Queue]
    queue_consumers: tuple[QueueConsumer, ...]
    stream_consumers: tuple[StreamConsumer, ...]
    schedules: tuple[Schedule, ...]
    machines: Mapping[LogicalId, StateMachine]
    secrets: Mapping[LogicalId, Secret]
    outputs: Mapping[str, Value]
