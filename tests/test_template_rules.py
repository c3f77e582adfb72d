"""What the template must grant and must not, read off what SAM makes of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.template.aliases import without_aliases
from local.template.sam import translate

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
DEPLOYED: dict[str, Any] = translate(TEMPLATE)
RESOURCES: dict[str, Any] = without_aliases(DEPLOYED)["Resources"]

LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
"""How a state machine reaches its log group. IAM knows no narrower resource for these."""
SCOPED = {"AWS::Lambda::Alias", "AWS::ApiGatewayV2::Stage"}
"""Named within a resource of their stage."""
OPEN_TO_THE_WORLD = {"PaymentsWebhook", "DemoProvider"}


def of_type(kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == kind}


FUNCTIONS = of_type("AWS::Lambda::Function")
WATCHED = str([alarm["Dimensions"] for alarm in of_type("AWS::CloudWatch::Alarm").values()])


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """(role, statement) of every policy that is not AWS's own."""
    for role, properties in of_type("AWS::IAM::Role").items():
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def told(reference: Any) -> str:
    """The queue that a failure ends in: itself, or told by the bucket that keeps it."""
    bucket = of_type("AWS::S3::Bucket").get(behind(reference))
    if bucket is None:
        return behind(reference)
    [notification] = bucket["NotificationConfiguration"]["QueueConfigurations"]
    return behind(notification["Queue"])


def behind(reference: Any) -> str:
    """The logical id that a Ref or a GetAtt means."""
    return str(reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0])


# -- Who may do what ----------------------------------------------------------------------------------


def test_no_policy_has_a_wildcard() -> None:
    for role, statement in statements():
        actions = set(listed(statement["Action"]))
        assert not [action for action in actions if "*" in action], role
        if role.endswith("MachineRole") and actions <= LOG_DELIVERY:
            continue
        for resource in listed(statement["Resource"]):
            if actions == {"s3:PutObject"} and str(resource).endswith("stream-failures-${AWS::AccountId}/*'}"):
                continue  # the objects of one bucket, whose keys Lambda makes
            if actions < {"s3:PutObject", "s3:GetObject"} and str(resource).endswith("-seals-${AWS::AccountId}/*'}"):
                continue  # the seals of all tenants, which are put once, and read
            if actions == {"states:DescribeExecution", "states:StopExecution"} and ":execution:cauri-" in str(resource):
                continue  # the children of a machine's own distributed map, whose names Step Functions makes
            assert "*" not in str(resource), f"{role} reaches {resource}"


def test_every_function_has_a_role_of_its_own() -> None:
    assert len({behind(function["Role"]) for function in FUNCTIONS.values()}) == len(FUNCTIONS)


def test_of_aws_s_own_policies_a_role_has_those_that_sam_gives_it() -> None:
    given = {
        arn.rpartition("/")[2]
        for role in of_type("AWS::IAM::Role").values()
        for arn in role.get("ManagedPolicyArns", [])
    }
    assert given == {
        "AWSLambdaBasicExecutionRole",
        "AWSXrayWriteOnlyAccess",
        "AWSLambdaDynamoDBExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
    }


def test_nobody_can_change_or_delete_what_is_in_the_log() -> None:
    on_log = [
        (role, action)
        for role, statement in statements()
        if any("LogTable" in str(resource) for resource in listed(statement["Resource"]))
        for action in listed(statement["Action"])
    ]
    assert on_log, "somebody writes the log"
    harmless = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"}
    assert {action for _, action in on_log} <= harmless


def test_every_function_of_the_api_counts_requests_and_reads_the_quotas() -> None:
    """A limiter that is denied lets everybody pass, so that nobody would notice."""
    for role in of_type("AWS::IAM::Role"):
        if role.endswith("ApiRole"):
            granted = {
                (action, behind(resource))
                for whose, one in statements()
                if whose == role
                for resource in listed(one["Resource"])
                if "Fn::GetAtt" in resource
                for action in listed(one["Action"])
            }
            assert ("dynamodb:UpdateItem", "LimitsTable") in granted, role
            assert ("dynamodb:BatchGetItem", "PlatformTable") in granted, role


def test_nobody_can_delete_an_item_of_any_table_but_of_the_watches() -> None:
    """Theirs is the one table that holds only what is open."""
    reached = {
        behind(resource)
        for _, statement in statements()
        if "Delete" in str(statement["Action"]) and "dynamodb" in str(statement)
        for resource in listed(statement["Resource"])
    }
    assert reached == {"RecoveryTable"}


@pytest.mark.parametrize("name", of_type("AWS::StepFunctions::StateMachine"))
def test_a_state_machine_invokes_its_own_steps_and_no_other_function(name: str) -> None:
    machine = of_type("AWS::StepFunctions::StateMachine")[name]
    steps = {behind(value) for value in machine["DefinitionSubstitutions"].values()} & FUNCTIONS.keys()
    [invoke] = [one for role, one in statements() if role == f"{name}Role" and "lambda:" in str(one["Action"])]
    assert {behind(resource) for resource in listed(invoke["Resource"])} == steps


# -- What can be reached from outside -----------------------------------------------------------------


def test_the_functions_that_anybody_may_call_are_known_and_can_not_take_the_whole_account() -> None:
    urls = of_type("AWS::Lambda::Url")
    assert {behind(url["TargetFunctionArn"]) for url in urls.values() if url["AuthType"] == "NONE"} == OPEN_TO_THE_WORLD
    for name in OPEN_TO_THE_WORLD:
        assert "ReservesConcurrency" in str(FUNCTIONS[name]["ReservedConcurrentExecutions"]), name


def test_a_queue_s_consumer_has_as_much_concurrency_as_the_queue_takes() -> None:
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        reserved = FUNCTIONS[behind(mapping["FunctionName"])].get("ReservedConcurrentExecutions")
        if reserved is not None:
            assert mapping["ScalingConfig"]["MaximumConcurrency"] <= reserved["Fn::If"][1] // 2


def test_the_api_is_throttled_and_writes_an_access_log_without_tokens() -> None:
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == {"Ref": "RequestsPerSecond"}
    assert behind(stage["AccessLogSettings"]["DestinationArn"]) in of_type("AWS::Logs::LogGroup")
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"request_id", "status", "route"} <= set(line)
    assert not re.search("authoriz|querystring|header", str(line), re.IGNORECASE)


@pytest.mark.parametrize("name", DEPLOYED["Parameters"])
def test_a_parameter_refuses_nonsense(name: str) -> None:
    parameter = DEPLOYED["Parameters"][name]
    assert parameter.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}
    default = str(parameter["Default"])
    if "AllowedPattern" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], default)
    if "AllowedValues" in parameter:
        assert default in map(str, parameter["AllowedValues"])


# -- What is kept, and how long -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(of_type("AWS::DynamoDB::Table").keys() - {"DemoProviderTable", "LimitsTable"}))
def test_a_table_can_be_recovered_and_is_not_deleted(name: str) -> None:
    table = of_type("AWS::DynamoDB::Table")[name]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["DeletionProtectionEnabled"] is True
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_who_asked_how_often_is_soon_forgotten() -> None:
    limits = of_type("AWS::DynamoDB::Table")["LimitsTable"]
    assert limits["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert "PointInTimeRecoverySpecification" not in limits, "addresses would be in the backups for 35 days"


def test_everything_at_rest_is_encrypted() -> None:
    assert all(table["SSESpecification"]["SSEEnabled"] for table in of_type("AWS::DynamoDB::Table").values())
    assert all(queue["SqsManagedSseEnabled"] for queue in of_type("AWS::SQS::Queue").values())
    assert {behind(topic["KmsMasterKeyId"]) for topic in of_type("AWS::SNS::Topic").values()} == {"AlarmsKey"}


def test_cloudwatch_may_use_the_key_of_the_topic_that_it_sends_alarms_to() -> None:
    allowed = of_type("AWS::KMS::Key")["AlarmsKey"]["KeyPolicy"]["Statement"]
    [cloudwatch] = [one for one in allowed if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(cloudwatch["Action"])


def test_all_logs_end() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogDays"} for group in groups.values())
    assert {behind(function["LoggingConfig"]["LogGroup"]) for function in FUNCTIONS.values()} <= groups.keys()
    for machine in of_type("AWS::StepFunctions::StateMachine").values():
        [destination] = machine["LoggingConfiguration"]["Destinations"]
        assert behind(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]) in groups


def test_no_log_gets_a_task_token() -> None:
    for machine in of_type("AWS::StepFunctions::StateMachine").values():
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_two_stages_can_share_an_account() -> None:
    """No two resources of different stages have the same name."""
    for logical_id, one in RESOURCES.items():
        kind = one["Type"].rpartition("::")[2]
        for key in {"Name", f"{kind}Name", "LogGroupName"} & one.get("Properties", {}).keys():
            named = str(one["Properties"][key])
            assert "${Stage}" in named or one["Type"] in SCOPED, f"{logical_id}: {named}"


# -- What fails -----------------------------------------------------------------------------------------


def test_what_fails_on_an_asynchronous_path_is_kept_and_raises_an_alarm() -> None:
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        queue = of_type("AWS::SQS::Queue").get(behind(mapping["EventSourceArn"]))
        if queue is not None:
            target = behind(queue["RedrivePolicy"]["deadLetterTargetArn"])
        else:
            target = told(mapping["DestinationConfig"]["OnFailure"]["Destination"])
        assert target in WATCHED, f"nobody watches {target}"


def test_a_batch_that_is_given_up_on_is_kept_whole() -> None:
    """Of a failed batch Lambda tells a queue which records it had; a bucket gets the records."""
    streams = [one for one in of_type("AWS::Lambda::EventSourceMapping").values() if "StartingPosition" in one]
    assert len(streams) == 2
    for mapping in streams:
        bucket = behind(mapping["DestinationConfig"]["OnFailure"]["Destination"])
        name = of_type("AWS::S3::Bucket")[bucket]["BucketName"]["Fn::Sub"]
        role = behind(FUNCTIONS[behind(mapping["FunctionName"])]["Role"])
        granted = {
            action: str(one["Resource"])
            for whose, one in statements()
            if whose == role
            for action in listed(one["Action"])
        }
        assert f":s3:::{name}/*" in granted["s3:PutObject"]
        assert f":s3:::{name}'" in granted["s3:ListBucket"]


def test_a_bucket_is_closed_and_may_tell_its_queue() -> None:
    for name, bucket in of_type("AWS::S3::Bucket").items():
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["BucketEncryption"]
        assert RESOURCES[name]["DeletionPolicy"] == "Retain"
        if "NotificationConfiguration" not in bucket:
            continue
        policy = of_type("AWS::SQS::QueuePolicy")[RESOURCES[name]["DependsOn"]]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert behind(statement["Resource"]) == told({"Ref": name})
        assert bucket["BucketName"]["Fn::Sub"] in str(statement["Condition"]["ArnEquals"])


def test_nobody_can_delete_a_seal_or_put_another_in_its_place() -> None:
    """The objects are locked for years, and a new version of one leaves the first where it is."""
    bucket = of_type("AWS::S3::Bucket")["Seals"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    kept = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert kept == {"Mode": "COMPLIANCE", "Days": {"Ref": "SealDays"}}
    assert DEPLOYED["Parameters"]["SealDays"]["Default"] >= 7 * 365
    on_seals = {
        (role, action)
        for role, one in statements()
        if "-seals-" in str(one["Resource"])
        for action in listed(one["Action"])
    }
    assert on_seals == {
        ("BooksSealRole", "s3:PutObject"),
        ("BooksApiRole", "s3:GetObject"),
        ("BooksApiRole", "s3:ListBucket"),
    }


def test_a_schedule_that_can_not_start_and_one_that_fails_are_both_kept() -> None:
    """A schedule invokes asynchronously: it hears of no failure, so the function has a destination of its own. A state
    machine's failures are counted."""
    asynchronous = {behind(one["FunctionName"]): one for one in of_type("AWS::Lambda::EventInvokeConfig").values()}
    for schedule in of_type("AWS::Scheduler::Schedule").values():
        not_started = behind(schedule["Target"]["DeadLetterConfig"]["Arn"])
        target = behind(schedule["Target"]["Arn"])
        if target in of_type("AWS::StepFunctions::StateMachine"):
            assert not_started in WATCHED
            assert target in WATCHED, f"nobody watches {target}"
            continue
        failed = asynchronous[target]
        assert failed["Qualifier"] == "live"
        for target in (not_started, behind(failed["DestinationConfig"]["OnFailure"]["Destination"])):
            assert target in WATCHED, f"nobody watches {target}"


def test_every_dead_letter_queue_has_an_alarm_of_its_own() -> None:
    assert [name for name in of_type("AWS::SQS::Queue") if "DeadLetters" in name and name not in WATCHED] == []


def test_every_alarm_is_told_to_somebody() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert [behind(action) for action in alarm["AlarmActions"]] == ["Alarms"], name


def test_a_queue_hides_a_message_for_six_times_as_long_as_its_consumer_may_take() -> None:
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        source = behind(mapping["EventSourceArn"])
        queue = of_type("AWS::SQS::Queue").get(source)
        if queue is not None:
            assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS[behind(mapping["FunctionName"])]["Timeout"], source


# -- Versions -------------------------------------------------------------------------------------------


def test_all_that_invokes_a_function_goes_to_its_alias() -> None:
    """A $LATEST that somebody invokes would be deployed at once, and have no snapshot."""
    unqualified = re.compile("|".join(rf"': \[?'{name}'|\$\{{{name}(\.Arn)?\}}" for name in FUNCTIONS))
    invoking = {
        "AWS::ApiGatewayV2::Api": "Body",
        "AWS::Lambda::EventSourceMapping": "FunctionName",
        "AWS::Lambda::Permission": "FunctionName",
        "AWS::Lambda::Url": "TargetFunctionArn",
        "AWS::Scheduler::Schedule": "Target",
        "AWS::StepFunctions::StateMachine": "DefinitionSubstitutions",
    }
    found = [one for one in DEPLOYED["Resources"].values() if one["Type"] in invoking]
    assert {one["Type"] for one in found} == set(invoking)
    for one in found:
        assert not unqualified.search(str(one["Properties"][invoking[one["Type"]]])), one


def test_a_change_of_a_layer_is_a_new_version_of_every_function(tmp_path: Path) -> None:
    changed = tmp_path / "template.yaml"
    changed.write_text(TEMPLATE.read_text().replace("ContentUri: layers/cauri", "ContentUri: layers/another"))
    before, after = (
        {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Version"}
        for resources in (DEPLOYED["Resources"], translate(changed)["Resources"])
    )
    assert len(before) == len(after) == len(FUNCTIONS)
    assert not before & after


def test_what_people_wait_for_starts_from_a_snapshot() -> None:
    called = {behind(url["TargetFunctionArn"]) for url in of_type("AWS::Lambda::Url").values()} - {"DemoProvider"}
    called |= {name for name in FUNCTIONS if name.endswith("Api")}
    assert {name for name, function in FUNCTIONS.items() if "SnapStart" in function} == called


# -- The dashboard ----------------------------------------------------------------------------------------


def test_the_dashboard_is_json_and_shows_what_there_is() -> None:
    body = of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    assert len({widget["properties"]["title"] for widget in widgets}) == len(widgets)
    used = {name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", body)}
    assert used <= RESOURCES.keys() | {"Stage"}
    shown = {name for name in RESOURCES if f"${{{name}}}" in body or f"${{{name}." in body}
    assert FUNCTIONS.keys() <= shown, "throttles"
    assert of_type("AWS::DynamoDB::Table").keys() - {"DemoProviderTable"} <= shown, "consumed capacity"
    assert {name for name in of_type("AWS::SQS::Queue") if "DeadLetters" in name} <= shown, "dead letters"
    assert of_type("AWS::StepFunctions::StateMachine").keys() <= shown, "sagas"


def test_who_can_ask_one_provider_can_ask_them_all() -> None:
    """A payment names its provider: a function that lacks one would stop at it."""
    variables = {"PAYSTACK_KEYS", "PAYSTACK_URL", "PAYSTACK_ADDRESSES", "TILLIPAY_KEYS", "TILLIPAY_URL"}
    asking = {
        name: variables & function["Environment"]["Variables"].keys()
        for name, function in FUNCTIONS.items()
        if "DEMO_PROVIDER_URL" in function.get("Environment", {}).get("Variables", {})
    }
    assert {name for name, known in asking.items() if known != variables} == set()
    assert asking
