"""The sample's template alive: HTTP, streams, queues, secrets, logs and failures, as on AWS."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from local.switchboard import InvocationError
from tests.local.conftest import WORKERS, Sample

pytestmark = pytest.mark.e2e


# -- HTTP ---------------------------------------------------------------------------------------------


def test_a_route_gives_the_function_the_event_of_api_gateway(sample: Sample) -> None:
    event = sample.get("/echo/a%20b/c?x=1&x=2", headers={"X-Who": "me", "cookie": "a=1"}).json()["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /echo/{proxy+}"
    assert event["rawPath"] == "/echo/a b/c"
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert (event["headers"]["x-who"], event["cookies"]) == ("me", ["a=1"])
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_a_function_url_gives_every_path_as_it_came(sample: Sample) -> None:
    url = sample.cloud.function_url("Hook")
    event = httpx.post(url + "paystack/ten%20ant?x=1", content=b"{}").json()["event"]
    assert (event["rawPath"], event["routeKey"]) == ("/paystack/ten%20ant", "$default")
    assert event["requestContext"]["accountId"] == "anonymous"


def test_a_path_without_a_route_is_not_found(sample: Sample) -> None:
    response = sample.get("/nowhere")
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_binary_comes_and_goes_as_it_is(sample: Sample) -> None:
    data = bytes(range(256))
    response = sample.http.post(
        sample.cloud.api_url + "/echo/binary", content=data, headers={"content-type": "image/png"}
    )
    assert (response.status_code, response.content) == (201, data)
    assert response.headers["x-number"] == "7"
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]


def test_a_head_has_no_body(sample: Sample) -> None:
    response = sample.http.head(sample.cloud.api_url + "/echo/x")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "size, status, message",
    [(11 * 1024 * 1024, 413, "Request Entity Too Large"), (7 * 1024 * 1024, 413, "Request Too Long")],
)
def test_a_payload_over_the_limits_is_refused(sample: Sample, size: int, status: int, message: str) -> None:
    response = sample.http.post(sample.cloud.api_url + "/echo/x", content=b"x" * size)
    assert (response.status_code, response.json()["message"]) == (status, message)


@pytest.mark.parametrize("kind", ["raise", "exit", "object", "malformed", "large"])
def test_a_function_that_fails_is_an_internal_server_error(sample: Sample, kind: str) -> None:
    response = sample.get(f"/trouble/{kind}")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})
    assert sample.get("/trouble/none").text == "another"  # and the next request is served


def test_a_function_over_its_timeout_is_stopped_and_replaced(sample: Sample) -> None:
    before = json.loads(sample.get("/echo/x").text)
    sample.get("/trouble/none")  # imported, so that the timeout is the function's own
    began = time.monotonic()
    assert sample.get("/trouble/sleep").status_code == 500
    assert time.monotonic() - began < 2.5
    assert sample.get("/trouble/none").text == "another"
    assert before["context"]["remaining"] <= 3000


# -- what a function finds ----------------------------------------------------------------------------


def test_a_function_finds_its_environment_and_context(sample: Sample) -> None:
    found = sample.get("/echo/x").json()
    assert found["environment"]["STAGE"] == "sample"
    assert found["environment"]["ISSUER"] == sample.cloud.where["control"]
    assert found["environment"]["HOOK"] == sample.cloud.function_url("Hook")
    assert len(found["environment"]["SECRET"]) == 40
    assert found["environment"]["TZ"] == "UTC"
    assert found["context"]["function"] == found["context"]["variable"] == "Echo"
    assert found["context"]["arn"].endswith(":function:Echo")
    assert found["context"]["request_id"] == found["event"]["requestContext"]["requestId"]


def test_functions_whose_environments_contradict_share_no_worker(sample: Sample) -> None:
    assert sample.get("/trouble/none").text == "another"
    assert sample.get("/echo/x").json()["environment"]["STAGE"] == "sample"


def test_what_a_function_says_is_in_its_log(sample: Sample) -> None:
    sample.get("/trouble/raise")
    lines = [json.loads(line) for line in (Path(sample.cloud.where["logs"]) / "Trouble.jsonl").open()]
    report = lines.pop()
    printed, logged, failed = lines[-3:]
    assert (printed["level"], printed["message"]) == ("INFO", "about to fail")
    assert (logged["level"], logged["message"], logged["logger"]) == ("WARNING", "really", "sample")
    assert (failed["level"], failed["errorType"], failed["message"]) == ("ERROR", "RuntimeError", "as asked")
    assert "api.py" in "".join(failed["stackTrace"])
    assert printed["requestId"] == failed["requestId"] == report["record"]["requestId"]


def test_an_invocation_answers_or_fails_as_lambda_does(sample: Sample) -> None:
    assert sample.cloud.invoke("Noop", {}) == {"statusCode": 200, "body": "ok"}
    with pytest.raises(InvocationError, match="as asked"):
        sample.cloud.invoke("Trouble", {"pathParameters": {"kind": "raise"}})
    with pytest.raises(LookupError):
        sample.cloud.invoke("Nobody", {})


def test_the_issuer_is_found_by_its_configuration(sample: Sample) -> None:
    configuration = httpx.get(sample.cloud.where["control"] + "/.well-known/openid-configuration").json()
    assert configuration["issuer"] == sample.cloud.where["control"]
    assert len(httpx.get(configuration["jwks_uri"]).json()["keys"]) == 1


# -- the stream ---------------------------------------------------------------------------------------


def test_a_stream_reaches_its_consumer_soon_and_in_order(sample: Sample) -> None:
    for number in range(2 * WORKERS):  # so that every worker has imported the consumer
        sample.post("/echo/put", [f"warm-{number}"])
        sample.cloud.idle()
    began = time.time()
    sample.post("/echo/put", [f"item-{number}" for number in range(25)])
    sample.cloud.idle()
    seen = {name: float(each["at"]) for name, each in sample.seen("stream").items() if name.startswith("item-")}
    assert len(seen) == 25
    assert sorted(seen, key=lambda name: seen[name]) == [f"item-{number}" for number in range(25)]
    assert min(seen.values()) - began < 1  # tens of milliseconds, on a machine with nothing else to do


def test_a_poison_record_holds_up_the_others_and_then_is_a_dead_letter(sample: Sample) -> None:
    sample.post("/echo/put", ["before", "bad", "between", "bomb", "after"])
    sample.cloud.idle()
    assert {"before", "between", "after"} <= sample.seen("stream").keys()
    assert int(sample.seen("tried")["bad"]["times"]) >= 3  # once, and twice again
    letters = [letter["body"] for letter in sample.cloud.dead_letters("StreamDead")]
    poison = [letter["payload"]["Records"][0]["dynamodb"]["NewImage"]["pk"]["S"] for letter in letters]
    assert poison == ["bad", "bomb"]
    assert {letter["DDBStreamBatchInfo"]["batchSize"] for letter in letters} == {1}


# -- queues -------------------------------------------------------------------------------------------


def send(sample: Sample, delay: int = 0, **body: object) -> None:
    sample.post("/echo/send", {"MessageBody": json.dumps(body), "DelaySeconds": delay})


def test_a_message_reaches_its_consumer(sample: Sample) -> None:
    send(sample, job="plain")
    sample.cloud.idle()
    assert "plain" in sample.seen("queue")


def test_a_message_that_fails_comes_again_after_its_visibility_timeout(sample: Sample) -> None:
    began = time.time()
    send(sample, job="second-try", fails=1)
    sample.cloud.idle(horizon=2)
    assert float(sample.seen("queue")["second-try"]["at"]) - began >= 1


def test_a_delayed_message_is_not_there_before_its_time(sample: Sample) -> None:
    began = time.time()
    send(sample, delay=1, job="late")
    sample.cloud.idle()
    assert "late" not in sample.seen("queue")
    sample.cloud.idle(horizon=2)
    assert float(sample.seen("queue")["late"]["at"]) - began >= 1


def test_a_message_that_keeps_failing_is_a_dead_letter_and_can_be_played_again(sample: Sample) -> None:
    send(sample, job="third-try", fails=2)
    sample.cloud.idle(horizon=2)
    [letter] = sample.cloud.dead_letters("JobsDead")
    assert (letter["kind"], letter["source"]) == ("message", "Jobs")
    [replayed] = sample.cloud.replay("JobsDead")
    assert replayed["problem"] is None
    sample.cloud.idle(horizon=2)
    [again] = sample.cloud.dead_letters("JobsDead")  # its count began anew, and it failed twice again
    assert again["message_id"] == letter["message_id"]


def test_the_queue_api_answers_as_botocore_expects(sample: Sample) -> None:
    sqs = sample.client("sqs")
    url = sqs.get_queue_url(QueueName="SagaDead")["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(3)]
    attribute = {"kind": {"DataType": "String", "StringValue": "test"}}
    entries[0]["MessageAttributes"] = attribute  # type: ignore[assignment]
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 3
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    assert [message["Body"] for message in received] == ["m0", "m1", "m2"]
    assert received[0]["MessageAttributes"] == attribute
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert attributes["Attributes"] == {"ApproximateNumberOfMessagesNotVisible": "3"}
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="Nobody")


# -- workers ------------------------------------------------------------------------------------------


def test_the_outside_party_answers_when_all_our_workers_are_busy(sample: Sample) -> None:
    with ThreadPoolExecutor() as pool:
        busy = [pool.submit(sample.get, "/echo/sleep") for _ in range(2 * WORKERS)]
        time.sleep(0.2)
        began = time.monotonic()
        assert httpx.get(sample.cloud.function_url("Hook")).status_code == 200
        assert time.monotonic() - began < 0.5
        assert {each.result().status_code for each in busy} == {200}  # and those that waited were served
