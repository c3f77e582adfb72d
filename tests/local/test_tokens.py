"""A task token: the first answer counts, none counts after the wait, and a wait can be seen from outside."""

import threading
import time

import pytest
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeSuccess

from local.machines.adaptations import TaskSettledError, TokenPool


@pytest.fixture
def pool() -> TokenPool:
    return TokenPool(activity_store={})


def success(token: str) -> CallbackOutcomeSuccess:
    return CallbackOutcomeSuccess(token, "{}")


def test_the_first_answer_counts(pool: TokenPool) -> None:
    endpoint = pool.add("t1")
    endpoint.notify(success("t1"))
    with pytest.raises(TaskSettledError):
        endpoint.notify(CallbackOutcomeFailure("t1", "Declined", ""))
    assert isinstance(endpoint.wait(5), CallbackOutcomeSuccess)  # also when it came before the wait


def test_an_answer_after_the_wait_is_refused(pool: TokenPool) -> None:
    endpoint = pool.add("t1")
    assert endpoint.wait(0.01) is None
    with pytest.raises(TaskSettledError):
        endpoint.notify(success("t1"))


def test_of_many_answers_at_once_one_is_taken(pool: TokenPool) -> None:
    for number in range(50):
        endpoint, taken = pool.add(f"t{number}"), []

        def answer(endpoint=endpoint, taken=taken, number=number) -> None:  # type: ignore[no-untyped-def]
            try:
                endpoint.notify(success(f"t{number}"))
                taken.append(number)
            except TaskSettledError:
                pass

        threads = [threading.Thread(target=answer) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taken == [number]


@pytest.mark.parametrize("heartbeat", [False, True])
def test_who_waits_is_parked(pool: TokenPool, heartbeat: bool) -> None:
    endpoint = pool.add("t1")
    wait = endpoint.setup_heartbeat_endpoint(60).clear_and_wait if heartbeat else endpoint.wait
    waiting = threading.Thread(target=wait)
    waiting.start()
    deadline = time.monotonic() + 5
    while pool.parked.count == 0 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert pool.parked.count == 1
    endpoint.notify(success("t1"))
    waiting.join(5)
    assert pool.parked.count == 0


def test_the_tokens_of_an_execution_that_is_over_are_forgotten(pool: TokenPool) -> None:
    pool.add("over")
    assert "over" in TokenPool.endpoints
    pool.forget()
    assert "over" not in TokenPool.endpoints
