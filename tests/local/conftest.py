"""A running cloud of the sample template, which one run of the tests shares."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest

from local.cloud import LocalCloud

SAMPLE = Path(__file__).parent / "sample" / "template.yaml"
SEEN = "sample-sample-seen"
WORKERS = 2


@cache
def _client(service: str, endpoint: str) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


class Sample:
    """The sample cloud, with the words that its tests use."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.http = httpx.Client(timeout=60)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.http.get(self.cloud.api_url + path, **arguments)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(self.cloud.api_url + path, json=body)

    def client(self, service: str) -> Any:
        """A client as a function has it."""
        return _client(service, self.cloud.dynamodb_url if service == "dynamodb" else self.cloud.where["control"])

    def seen(self, kind: str) -> dict[str, dict[str, Any]]:
        """What the functions wrote down of a kind, by its name: `at` (seconds), `times`, `token`."""
        pages = (
            self.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=SEEN, KeyConditionExpression="pk = :kind", ExpressionAttributeValues={":kind": {"S": kind}}
            )
        )
        return {
            item["sk"]["S"]: {name: next(iter(value.values())) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        }

    def start_order(self, order: str, *fails: str, patience: int = 60) -> httpx.Response:
        return self.post("/echo/start", {"order": order, "patience": patience, "fails": fails})

    def execution(self, order: str) -> dict[str, Any]:
        return next(each for each in self.cloud.executions() if each["name"] == order)

    def token(self, order: str) -> str:
        return str(self.seen("token")[order]["token"])


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    with LocalCloud(SAMPLE, data=tmp_path_factory.mktemp("cloud"), workers=WORKERS) as cloud:
        yield Sample(cloud)
