"""moto's own inside, where it had to be mended."""

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodbstreams.models import dynamodbstreams_backends

from local.engine import sound_moto
from local.engine.sound_moto import UnsupportedVersionError
from tests.engines import REGION, TABLE_PREFIX, MotoEngine


def test_a_stream_that_is_polled_for_days_does_not_fill_the_memory(
    moto_engine: MotoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_moto, "ITERATORS_MAX", 5)
    streams = moto_engine.streams()
    arn = moto_engine.client().describe_table(TableName=f"{TABLE_PREFIX}log")["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    answer = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    iterator = answer["ShardIterator"]
    for _ in range(20):
        iterator = streams.get_records(ShardIterator=iterator)["NextShardIterator"]
    backend = dynamodbstreams_backends[DEFAULT_ACCOUNT_ID][REGION]
    assert len(backend.shard_iterators) <= 5
    assert iterator in backend.shard_iterators


def test_another_version_of_moto_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_moto, "_installed", False)
    monkeypatch.setattr("moto.__version__", "5.2.6")
    with pytest.raises(UnsupportedVersionError, match=r"5\.2\.6"):
        sound_moto.install()
