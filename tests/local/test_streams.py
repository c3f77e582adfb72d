"""How much of a batch a consumer is done with."""

import json
from typing import Any

import pytest

from local.streams import Batch, consumed
from local.workers.pool import Outcome

RECORDS = [{"dynamodb": {"SequenceNumber": str(number)}} for number in (11, 12, 13, 14)]


def answer(value: Any) -> Outcome:
    return Outcome(json.dumps(value).encode())


def failures(*numbers: int) -> Outcome:
    return answer({"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]})


@pytest.mark.parametrize(
    "outcome, done",
    [
        (failures(), 4),
        (answer(None), 4),
        (failures(13), 2),
        (failures(14, 12), 1),  # the lowest counts
        (failures(11), 0),
        (failures(99), 0),  # not of this batch: all of it failed
        (answer({"batchItemFailures": ["what"]}), 0),
        (answer("what"), 0),
        (Outcome(b"{}", error="RuntimeError"), 0),
    ],
)
def test_a_consumer_that_reports_is_done_up_to_its_first_failure(outcome: Outcome, done: int) -> None:
    assert consumed(outcome, RECORDS, reports_failures=True) == done


def test_a_consumer_that_does_not_report_is_done_unless_it_failed() -> None:
    assert consumed(failures(11), RECORDS, reports_failures=False) == 4
    assert consumed(Outcome(b"{}", error="RuntimeError"), RECORDS, reports_failures=False) == 0


def test_halves_are_the_whole_in_order() -> None:
    first, second = Batch(RECORDS[:3], attempts=1).halves()
    assert [*first.records, *second.records] == RECORDS[:3]
    assert (first.attempts, second.attempts) == (1, 1)
