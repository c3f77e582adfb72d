"""The template is read as SAM deploys it, and its values become plain where names, ARNs and secrets are known."""

from pathlib import Path
from typing import Any

import pytest

from local.template import (
    Keys,
    Lookup,
    Parameters,
    Redrive,
    Route,
    Template,
    UnsupportedIntrinsicError,
    read,
    read_definition,
    references,
    resolve,
)
from local.template.sam import TemplateError

SAMPLE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: dev, Description: Which copy of everything }
  Secretive: { Type: String }
Globals:
  Function:
    Runtime: python3.13
    Timeout: 7
    AutoPublishAlias: live
    Environment: { Variables: { STAGE: !Ref Stage } }
Resources:
  Rows:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub shop-${Stage}-rows
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: n, AttributeType: N }
        - { AttributeName: day, AttributeType: S }
      KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: n, KeyType: RANGE }]
      GlobalSecondaryIndexes:
        - IndexName: by_day
          KeySchema: [{ AttributeName: day, KeyType: HASH }]
          Projection: { ProjectionType: INCLUDE, NonKeyAttributes: [total] }
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
  Api: { Type: AWS::Serverless::HttpApi, Properties: { StageName: $default } }
  Shop:
    Type: AWS::Serverless::Function
    Metadata: { LocalWorker: own }
    Properties:
      CodeUri: functions/shop/
      Handler: deep.api.handler
      MemorySize: 256
      Environment: { Variables: { TABLE: !Ref Rows } }
      FunctionUrlConfig: { AuthType: NONE }
      Events:
        Any: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: "/v1/{proxy+}" } }
        One: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: get, Path: "/v1/items/{id}" } }
        Rest: { Type: HttpApi, Properties: { ApiId: !Ref Api } }
        Rows:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Rows.StreamArn
            StartingPosition: LATEST
            BatchSize: 5
            MaximumBatchingWindowInSeconds: 2
            ParallelizationFactor: 3
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 4
            MaximumRecordAgeInSeconds: 60
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Dead.Arn } }
            FilterCriteria: { Filters: [{ Pattern: '{"eventName": ["INSERT"]}' }] }
        Work:
          Type: SQS
          Properties:
            Queue: !GetAtt Jobs.Arn
            BatchSize: 3
            ScalingConfig: { MaximumConcurrency: 2 }
        Nightly:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 2 * * ? *)
            ScheduleExpressionTimezone: Africa/Lagos
            Input: '{"deep": true}'
            RetryPolicy: { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 90 }
            State: DISABLED
        Often: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }
  Fold:
    Type: AWS::Serverless::Function
    Properties: &fold
      CodeUri: functions/fold
      Handler: fold.handler
      Events:
        Rows: { Type: DynamoDB, Properties: { Stream: !GetAtt Rows.StreamArn, StartingPosition: TRIM_HORIZON } }
  FoldAgain: { Type: AWS::Serverless::Function, Properties: *fold }
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub shop-${Stage}-jobs
      VisibilityTimeout: 120
      DelaySeconds: 4
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 6 }
  Dead: { Type: AWS::SQS::Queue, Properties: { MessageRetentionPeriod: 99 } }
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: !Sub shop-${Stage}-machine
      DefinitionUri: machine.asl.yaml
      DefinitionSubstitutions: { Shop: !GetAtt Shop.Arn, Seconds: 9 }
      Events:
        Daily: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 day) } }
  Made:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true, ExcludeCharacters: abc } }
  Told: { Type: AWS::SecretsManager::Secret, Properties: { SecretString: open sesame } }
Outputs:
  Url: { Value: !GetAtt Api.ApiEndpoint }
"""

DEFINITION = """
StartAt: Ask
States:
  Ask:
    Type: Task
    Resource: ${Shop}
    TimeoutSeconds: ${Seconds}
    Comment: waits ${Seconds} s for ${Nobody}
    End: true
"""


class Place:
    """A place that hosts the sample."""

    def ref(self, name: str) -> str:
        return {"Stage": "prod", "AWS::Region": "us-east-1", "Rows": "shop-rows"}[name]

    def attribute(self, logical_id: str, attribute: str) -> str:
        return {"Shop.Arn": "arn:shop", "Url.FunctionUrl": "http://127.0.0.1:1/", "Nested.Outputs.A": "a"}[
            f"{logical_id}.{attribute}"
        ]

    def secret(self, secret_id: str) -> str:
        return {
            "plain": "hush",
            "arn:aws:secretsmanager:us-east-1:000000000000:secret:Made-abc": '{"user": "u", "password": "p"}',
        }[secret_id]


PLACE: Lookup = Place()
ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:Made-abc"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Template:
    directory = tmp_path_factory.mktemp("sample")
    (directory / "template.yaml").write_text(SAMPLE, encoding="utf-8")
    (directory / "machine.asl.yaml").write_text(DEFINITION, encoding="utf-8")
    return read(directory / "template.yaml", {"Stage": "prod"})


def test_tables(sample: Template) -> None:
    table = sample.tables["Rows"]
    assert table.name == "shop-prod-rows"
    assert table.keys == Keys("pk", "n")
    assert table.attributes == {"pk": "S", "n": "N", "day": "S"}
    [index] = table.indexes
    assert (index.name, index.keys, index.projection, index.included) == ("by_day", Keys("day"), "INCLUDE", ("total",))
    assert (table.streams, table.stream_view) == (True, "NEW_AND_OLD_IMAGES")


def test_a_function_is_found_from_its_code_and_handler(sample: Template) -> None:
    shop = sample.functions["Shop"]
    assert (shop.module, shop.attribute) == ("functions.shop.deep.api", "handler")
    assert (shop.timeout, shop.memory_mb) == (7, 256)
    assert shop.own_worker
    assert not sample.functions["Fold"].own_worker
    assert sample.functions["FoldAgain"].module == sample.functions["Fold"].module == "functions.fold.fold"
    assert resolve(dict(shop.environment), PLACE) == {"STAGE": "prod", "TABLE": "shop-rows"}


def test_routes_and_function_urls(sample: Template) -> None:
    assert set(sample.routes) == {
        Route("Api", "ANY", "/v1/{proxy+}", "Shop"),
        Route("Api", "GET", "/v1/items/{id}", "Shop"),
        Route("Api", "ANY", "$default", "Shop"),
    }
    [url] = sample.function_urls.values()
    assert (url.logical_id, url.function, url.auth) == ("ShopUrl", "Shop", "NONE")


def test_queues_and_their_consumers(sample: Template) -> None:
    jobs, dead = sample.queues["Jobs"], sample.queues["Dead"]
    assert (jobs.name, jobs.visibility_timeout, jobs.delay) == ("shop-prod-jobs", 120, 4)
    assert jobs.redrive == Redrive("Dead", 6)
    assert (dead.name, dead.visibility_timeout, dead.retention, dead.redrive) == (None, 30, 99, None)
    [consumer] = sample.queue_consumers
    assert (consumer.queue, consumer.function, consumer.batch_size) == ("Jobs", "Shop", 3)
    assert (consumer.concurrency_max, consumer.reports_failures) == (2, False)


def test_stream_consumers(sample: Template) -> None:
    strict, plain, _ = sorted(sample.stream_consumers, key=lambda each: each.function, reverse=True)
    assert (strict.table, strict.function, strict.starting_position) == ("Rows", "Shop", "LATEST")
    assert (strict.batch_size, strict.batching_window, strict.parallelization) == (5, 2, 3)
    assert (strict.retries_max, strict.record_age_max, strict.on_failure) == (4, 60, "Dead")
    assert strict.bisects
    assert strict.reports_failures
    assert strict.filters == ('{"eventName": ["INSERT"]}',)
    assert (plain.batch_size, plain.retries_max, plain.record_age_max, plain.on_failure) == (100, None, None, None)


def test_schedules(sample: Template) -> None:
    schedules = {each.expression: each for each in sample.schedules}
    nightly, often, daily = (schedules[key] for key in ("cron(0 2 * * ? *)", "rate(1 minute)", "rate(1 day)"))
    assert (nightly.target, nightly.input, nightly.timezone) == ("Shop", '{"deep": true}', "Africa/Lagos")
    assert (nightly.retries_max, nightly.event_age_max, nightly.enabled) == (1, 90, False)
    assert (often.target, often.timezone, often.enabled, often.retries_max) == ("Shop", "UTC", True, 185)
    assert daily.target == "Machine"


def test_a_definition_gets_its_substitutions(sample: Template) -> None:
    machine = sample.machines["Machine"]
    assert (machine.name, machine.express) == ("shop-prod-machine", False)
    ask = read_definition(machine, sample.directory, PLACE)["States"]["Ask"]
    assert ask["Resource"] == "arn:shop"
    assert ask["TimeoutSeconds"] == 9, "alone in its string, a number stays a number"
    assert ask["Comment"] == "waits 9 s for ${Nobody}"


def test_secrets_parameters_and_outputs(sample: Template) -> None:
    made, told = sample.secrets["Made"], sample.secrets["Told"]
    assert (made.length, made.exclude_punctuation, made.excluded_characters, made.text) == (48, True, "abc", None)
    assert told.text == "open sesame"
    assert (sample.parameters["Stage"].default, sample.parameters["Secretive"].default) == ("dev", None)
    assert sample.parameters["Stage"].description == "Which copy of everything"
    assert references(sample.outputs["Url"]) == "Api"


@pytest.mark.parametrize(
    "value, plain",
    [
        ("as it is", "as it is"),
        (7, 7),
        (None, None),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Shop", "Arn"]}, "arn:shop"),
        ({"Fn::GetAtt": "Shop.Arn"}, "arn:shop"),
        ({"Fn::GetAtt": ["Nested", "Outputs.A"]}, "a"),
        ({"Fn::Sub": "x-${Stage}-${Shop.Arn}"}, "x-prod-arn:shop"),
        ({"Fn::Sub": "literally ${!Stage}"}, "literally ${Stage}"),
        ({"Fn::Sub": ["${mine}/${Stage}", {"mine": {"Ref": "Rows"}}]}, "shop-rows/prod"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 3]]}, "a-prod-3"),
        ({"Fn::Select": ["1", {"Fn::Split": [":", {"Fn::GetAtt": ["Shop", "Arn"]}]}]}, "shop"),
        ({"list": [{"Ref": "Stage"}], "Ref": "not alone"}, {"list": ["prod"], "Ref": "not alone"}),
        ("{{resolve:secretsmanager:plain}}", "hush"),
        ("a{{resolve:secretsmanager:plain:SecretString}}b", "ahushb"),
        (f"{{{{resolve:secretsmanager:{ARN}:SecretString:password}}}}", "p"),
        (f"{{{{resolve:secretsmanager:{ARN}:SecretString:user:AWSCURRENT}}}}", "u"),
    ],
)
def test_values_become_plain(value: Any, plain: Any) -> None:
    assert resolve(value, PLACE) == plain


def test_a_secret_named_by_a_reference_is_found() -> None:
    class WithArn(Place):
        def ref(self, name: str) -> str:
            return ARN if name == "Made" else super().ref(name)

    value = {"Fn::Sub": "{{resolve:secretsmanager:${Made}:SecretString:password}}"}
    assert resolve(value, WithArn()) == "p"


@pytest.mark.parametrize("value", [{"Ref": "Nobody"}, {"Fn::Sub": "${No.Body}"}, "{{resolve:secretsmanager:none}}"])
def test_an_unknown_name_is_an_error(value: Any) -> None:
    with pytest.raises(KeyError):
        resolve(value, PLACE)


@pytest.mark.parametrize("value", [{"Fn::ImportValue": "x"}, "{{resolve:ssm:/a/b}}"])
def test_what_is_not_understood_is_an_error_and_not_a_guess(value: Any) -> None:
    with pytest.raises(UnsupportedIntrinsicError):
        resolve(value, PLACE)


def test_names_need_parameters_only() -> None:
    names = Parameters({"Stage": "dev"})
    assert resolve({"Fn::Sub": "shop-${Stage}"}, names) == "shop-dev"
    with pytest.raises(KeyError):
        resolve({"Fn::GetAtt": ["Shop", "Arn"]}, names)
    with pytest.raises(KeyError):
        resolve("{{resolve:secretsmanager:plain}}", names)


def test_only_a_reference_stands_for_one_resource() -> None:
    assert references({"Fn::Sub": "${Shop.Arn}"}) == "Shop"
    with pytest.raises(UnsupportedIntrinsicError):
        references({"Fn::Sub": "${Shop.Arn}:live"})


def test_a_template_that_sam_refuses_says_what_and_where(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    taken = SAMPLE.replace("Dead", "ShopWork")  # the name that SAM gives to the mapping of Shop's event Work
    path.write_text(taken, encoding="utf-8")
    with pytest.raises(TemplateError, match="ShopWork"):
        read(path)


def test_the_product_s_own_template_is_understood_whole(template: Template) -> None:
    """Every handler's names can be resolved from the template alone, given a place that knows its resources."""
    assert template.tables["LogTable"].name == "cauri-test-log"
    assert {each.function for each in template.stream_consumers} == {"BooksFold", "BooksDispatch"}
    named = {each.logical_id for each in template.functions.values()}
    assert {route.function for route in template.routes} <= named
    for consumer in template.queue_consumers:
        assert consumer.queue in template.queues
    for queue in template.queues.values():
        assert queue.redrive is None or queue.redrive.dead_letters in template.queues


def test_what_a_bucket_keeps_of_a_stream_goes_to_the_queue_that_it_tells() -> None:
    product = read(Path(__file__).parents[2] / "template.yaml", {"Stage": "test"})
    assert {consumer.on_failure for consumer in product.stream_consumers} == {"StreamDeadLetters"}
