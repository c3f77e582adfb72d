"""From the translated template to the values of `model`."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from local.template.aliases import without_aliases
from local.template.intrinsics import Parameters, UnsupportedIntrinsicError, references, resolve
from local.template.model import (
    Function,
    FunctionUrl,
    Index,
    Keys,
    LogicalId,
    Parameter,
    Queue,
    QueueConsumer,
    Redrive,
    Route,
    Schedule,
    Secret,
    StateMachine,
    StreamConsumer,
    Table,
    Template,
)
from local.template.policies import permissions
from local.template.sam import CODE_BUCKET, translate

T = TypeVar("T")
Properties = Mapping[str, Any]
Resources = Mapping[str, Mapping[str, Any]]

INVOKED_FUNCTION: Final = re.compile(r"functions/\$\{(\w+)\.Arn\}/invocations")
ANY_METHOD: Final = "x-amazon-apigateway-any-method"
HTTP_METHODS: Final = {"get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD}


def read(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """The template at `path`, with `parameters` in place of its defaults in the names of tables and machines.

    Raises TemplateError when SAM can't translate it, and KeyError for a name made of a parameter without a value.
    """
    document = without_aliases(translate(path))
    declared = {name: _parameter(name, raw) for name, raw in document.get("Parameters", {}).items()}
    defaults = {name: each.default for name, each in declared.items() if each.default is not None}
    names = Parameters(defaults | dict(parameters or {}))
    resources: Resources = document["Resources"]
    mappings = _of(
        resources, "AWS::Lambda::EventSourceMapping", lambda logical_id, body: (logical_id, _properties(body))
    )
    return Template(
        directory=path.resolve().parent,
        parameters=declared,
        tables=_of(resources, "AWS::DynamoDB::Table", lambda logical_id, body: _table(logical_id, body, names)),
        functions=_of(
            resources, "AWS::Lambda::Function", lambda logical_id, body: _function(logical_id, body, resources)
        ),
        routes=_routes(resources),
        function_urls=_of(resources, "AWS::Lambda::Url", _function_url),
        queues=_of(resources, "AWS::SQS::Queue", lambda logical_id, body: _queue(logical_id, body, names)),
        queue_consumers=tuple(
            _queue_consumer(*each) for each in mappings.values() if not _reads_a_stream(each[1], resources)
        ),
        stream_consumers=tuple(
            _stream_consumer(*each, resources) for each in mappings.values() if _reads_a_stream(each[1], resources)
        ),
        schedules=(
            *_of(resources, "AWS::Scheduler::Schedule", _schedule).values(),
            *(rule for rule in _of(resources, "AWS::Events::Rule", _scheduled_rule).values() if rule is not None),
        ),
        machines=_of(
            resources, "AWS::StepFunctions::StateMachine", lambda logical_id, body: _machine(logical_id, body, names)
        ),
        secrets=_of(resources, "AWS::SecretsManager::Secret", _secret),
        outputs={name: raw["Value"] for name, raw in document.get("Outputs", {}).items()},
    )


def _of(resources: Resources, kind: str, make: Callable[[str, Mapping[str, Any]], T]) -> dict[str, T]:
    return {logical_id: make(logical_id, body) for logical_id, body in resources.items() if body["Type"] == kind}


def _properties(body: Mapping[str, Any]) -> Properties:
    properties: Properties = body.get("Properties", {})
    return properties


def _parameter(name: str, raw: Mapping[str, Any]) -> Parameter:
    default = raw.get("Default")
    return Parameter(
        name=name,
        type=raw.get("Type", "String"),
        default=None if default is None else str(default),
        description=raw.get("Description", ""),
    )


def _table(logical_id: str, body: Mapping[str, Any], names: Parameters) -> Table:
    properties = _properties(body)
    return Table(
        logical_id=logical_id,
        name=resolve(properties.get("TableName", logical_id), names),
        keys=_keys(properties["KeySchema"]),
        attributes={each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]},
        indexes=tuple(_index(each) for each in properties.get("GlobalSecondaryIndexes", ())),
        stream_view=properties.get("StreamSpecification", {}).get("StreamViewType"),
    )


def _keys(schema: list[Mapping[str, str]]) -> Keys:
    by_type = {each["KeyType"]: each["AttributeName"] for each in schema}
    return Keys(by_type["HASH"], by_type.get("RANGE"))


def _index(raw: Mapping[str, Any]) -> Index:
    projection = raw["Projection"]
    return Index(
        name=raw["IndexName"],
        keys=_keys(raw["KeySchema"]),
        projection=projection["ProjectionType"],
        included=tuple(projection.get("NonKeyAttributes", ())),
    )


def _function(logical_id: str, body: Mapping[str, Any], resources: Resources) -> Function:
    properties = _properties(body)
    code = properties["Code"]
    if code.get("S3Bucket") != CODE_BUCKET:
        raise UnsupportedIntrinsicError(f"{logical_id}: its code is not a directory beside the template")
    return Function(
        logical_id=logical_id,
        code=Path(code["S3Key"]),
        handler=properties["Handler"],
        timeout=properties.get("Timeout", 3),
        memory_mb=properties.get("MemorySize", 128),
        environment=properties.get("Environment", {}).get("Variables", {}),
        metadata=body.get("Metadata", {}),
        permissions=permissions(properties, resources),
    )


def _routes(resources: Resources) -> tuple[Route, ...]:
    apis = _of(resources, "AWS::ApiGatewayV2::Api", lambda _, body: _properties(body).get("Body", {}).get("paths", {}))
    return tuple(
        Route(api, "ANY" if method == ANY_METHOD else method.upper(), path, _invoked(operation))
        for api, paths in apis.items()
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in HTTP_METHODS
    )


def _invoked(operation: Mapping[str, Any]) -> str:
    uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    found = INVOKED_FUNCTION.search(uri)
    if found is None:
        raise UnsupportedIntrinsicError(f"a route that invokes no function: {uri}")
    return found[1]


def _function_url(logical_id: str, body: Mapping[str, Any]) -> FunctionUrl:
    properties = _properties(body)
    return FunctionUrl(logical_id, references(properties["TargetFunctionArn"]), properties["AuthType"])


def _queue(logical_id: str, body: Mapping[str, Any], names: Parameters) -> Queue:
    properties = _properties(body)
    redrive = properties.get("RedrivePolicy")
    return Queue(
        logical_id=logical_id,
        name=resolve(properties.get("QueueName"), names),
        visibility_timeout=properties.get("VisibilityTimeout", 30),
        delay=properties.get("DelaySeconds", 0),
        retention=properties.get("MessageRetentionPeriod", 345_600),
        fifo=properties.get("FifoQueue", False),
        deduplicates_by_content=properties.get("ContentBasedDeduplication", False),
        redrive=redrive and Redrive(references(redrive["deadLetterTargetArn"]), int(redrive["maxReceiveCount"])),
    )


def _reads_a_stream(properties: Properties, resources: Resources) -> bool:
    source = resources[references(properties["EventSourceArn"])]
    return str(source["Type"]) == "AWS::DynamoDB::Table"


def _reports_failures(properties: Properties) -> bool:
    return "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ())


def _queue_consumer(logical_id: str, properties: Properties) -> QueueConsumer:
    return QueueConsumer(
        logical_id=logical_id,
        queue=references(properties["EventSourceArn"]),
        function=references(properties["FunctionName"]),
        batch_size=properties.get("BatchSize", 10),
        batching_window=properties.get("MaximumBatchingWindowInSeconds", 0),
        reports_failures=_reports_failures(properties),
        concurrency_max=properties.get("ScalingConfig", {}).get("MaximumConcurrency"),
    )


def _stream_consumer(logical_id: str, properties: Properties, resources: Resources) -> StreamConsumer:
    on_failure = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    filters = properties.get("FilterCriteria", {}).get("Filters", ())
    return StreamConsumer(
        logical_id=logical_id,
        table=references(properties["EventSourceArn"]),
        function=references(properties["FunctionName"]),
        starting_position=properties["StartingPosition"],
        batch_size=properties.get("BatchSize", 100),
        batching_window=properties.get("MaximumBatchingWindowInSeconds", 0),
        parallelization=properties.get("ParallelizationFactor", 1),
        bisects=properties.get("BisectBatchOnFunctionError", False),
        retries_max=_limit(properties.get("MaximumRetryAttempts")),
        record_age_max=_limit(properties.get("MaximumRecordAgeInSeconds")),
        on_failure=None if on_failure is None else _told_of(references(on_failure), resources),
        reports_failures=_reports_failures(properties),
        filters=tuple(each["Pattern"] for each in filters),
    )


def _told_of(destination: LogicalId, resources: Resources) -> LogicalId:
    """The queue that hears of a failure: the destination, or the one that the bucket tells of what it keeps.

    On AWS the bucket has the letter, and the queue its key; here the queue has the letter.
    """
    if resources[destination]["Type"] != "AWS::S3::Bucket":
        return destination
    [told] = _properties(resources[destination])["NotificationConfiguration"]["QueueConfigurations"]
    return references(told["Queue"])


def _limit(value: int | None) -> int | None:
    """AWS writes "no limit" as -1, and takes it when nothing is written."""
    return None if value in (None, -1) else value


def _schedule(logical_id: str, body: Mapping[str, Any]) -> Schedule:
    properties = _properties(body)
    return _scheduled(
        logical_id,
        properties,
        properties["Target"],
        timezone=properties.get("ScheduleExpressionTimezone", "UTC"),
    )


def _scheduled_rule(logical_id: str, body: Mapping[str, Any]) -> Schedule | None:
    """A rule on a schedule; None for a rule on events."""
    properties = _properties(body)
    if "ScheduleExpression" not in properties:
        return None
    [target] = properties["Targets"]
    return _scheduled(logical_id, properties, target, timezone="UTC")


def _scheduled(logical_id: str, properties: Properties, target: Mapping[str, Any], timezone: str) -> Schedule:
    retry = target.get("RetryPolicy", {})
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    return Schedule(
        logical_id=logical_id,
        expression=properties["ScheduleExpression"],
        target=references(target["Arn"]),
        input=target.get("Input"),
        timezone=timezone,
        enabled=properties.get("State", "ENABLED") == "ENABLED",
        retries_max=retry.get("MaximumRetryAttempts", 185),
        event_age_max=retry.get("MaximumEventAgeInSeconds", 86_400),
        dead_letters=None if dead_letters is None else references(dead_letters),
    )


def _machine(logical_id: str, body: Mapping[str, Any], names: Parameters) -> StateMachine:
    properties = _properties(body)
    location = properties.get("DefinitionS3Location")
    return StateMachine(
        logical_id=logical_id,
        name=resolve(properties.get("StateMachineName", logical_id), names),
        definition=Path(location["Key"]) if location else properties["Definition"],
        substitutions=properties.get("DefinitionSubstitutions", {}),
        express=properties.get("StateMachineType") == "EXPRESS",
    )


def _secret(logical_id: str, body: Mapping[str, Any]) -> Secret:
    properties = _properties(body)
    generated = properties.get("GenerateSecretString", {})
    return Secret(
        logical_id=logical_id,
        length=generated.get("PasswordLength", 32),
        excluded_characters=generated.get("ExcludeCharacters", ""),
        exclude_punctuation=generated.get("ExcludePunctuation", False),
        text=properties.get("SecretString"),
    )
