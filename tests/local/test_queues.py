"""Queues keep messages, hide them while they are worked on, and bury what fails too often."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.queues import Place, Queue, QueueError, QueueSettings, attributes_md5
from local.state import State, StateInUseError


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "state")
    yield opened
    opened.close()


def queue(state: State, name: str = "jobs", visibility: int = 30, **settings: object) -> Queue:
    plain = {"arn": f"arn:{name}", "url": f"http://{name}", "visibility_timeout": visibility, "delay": 0}
    return Queue(QueueSettings(name, **{**plain, "retention": 3600, **settings}), state)  # type: ignore[arg-type]


def test_a_message_is_received_once_until_its_visibility_ends(state: State) -> None:
    jobs = queue(state, visibility=0)
    jobs.send("one")
    hidden = queue(state, "hidden", visibility=60)
    hidden.send("one")
    assert [message.body for message in hidden.receive(10)] == ["one"]
    assert hidden.receive(10) == []
    assert [jobs.receive(10)[0].receives for _ in range(3)] == [1, 2, 3]


def test_a_delayed_message_waits(state: State) -> None:
    jobs = queue(state)
    jobs.send("later", delay=900)
    assert jobs.receive(10) == []
    assert (jobs.depth().delayed, jobs.depth().visible) == (1, 0)


def test_only_the_last_receipt_deletes(state: State) -> None:
    jobs = queue(state, visibility=0)
    jobs.send("one")
    [first] = jobs.receive(1)
    [second] = jobs.receive(1)
    jobs.delete([first.receipt])
    assert len(jobs.messages()) == 1
    jobs.delete([second.receipt])
    assert jobs.messages() == []


def test_what_was_received_too_often_goes_to_the_dead_letters(state: State) -> None:
    jobs, dead = queue(state, visibility=0, dead_letters="dead", receives_max=2), queue(state, "dead")
    message_id = jobs.send("poison")
    assert len(jobs.receive(1)) == 1
    assert len(jobs.receive(1)) == 1
    assert jobs.receive(1) == []
    [letter] = dead.messages()
    assert (letter["message_id"], letter["source"], letter["body"]) == (message_id, "jobs", "poison")


def test_an_old_message_is_gone_and_no_dead_letter(state: State) -> None:
    jobs, dead = queue(state, retention=-1, dead_letters="dead", receives_max=2), queue(state, "dead")
    jobs.send("old")
    assert jobs.receive(1) == []
    assert dead.messages() == []


@pytest.mark.parametrize("body, delay", [("", 0), ("x" * (1024 * 1024 + 1), 0), ("x", 901), ("x", -1)])
def test_what_sqs_refuses_is_refused(state: State, body: str, delay: int) -> None:
    with pytest.raises(QueueError):
        queue(state).send(body, delay=delay)


def test_messages_outlive_their_process(tmp_path: Path) -> None:
    first = State(tmp_path)
    queue(first).send("kept")
    assert len(queue(first).receive(1)) == 1  # its receiver dies with the process
    first.close()
    second = State(tmp_path)
    again = queue(second)
    again.release()
    assert [message.body for message in again.receive(1)] == ["kept"]
    second.close()


def test_two_clouds_cannot_share_a_state(state: State) -> None:
    with pytest.raises(StateInUseError):
        State(state.directory)


def test_a_fresh_state_has_forgotten_everything(tmp_path: Path) -> None:
    first = State(tmp_path)
    queue(first).send("old")
    first.set("secret:Edge", "old")
    first.close()
    second = State(tmp_path, fresh=True)
    assert queue(second).messages() == []
    assert second.setting("secret:Edge") is None
    second.close()


def test_the_digest_of_attributes_is_the_one_sqs_documents() -> None:
    """The example of the SQS developer guide's own test vectors: one string attribute."""
    digest = attributes_md5({"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}})
    assert digest == "235c5c510d26fb653d073faed50ae77c"


# -- FIFO ---------------------------------------------------------------------------------------------


def fifo(state: State, **settings: object) -> Queue:
    return queue(state, "numbers.fifo", visibility=60, fifo=True, **settings)


def test_a_message_waits_for_those_of_its_group_and_for_no_other(state: State) -> None:
    numbers = fifo(state)
    for group, body in [("a", "a1"), ("b", "b1"), ("a", "a2")]:
        numbers.send(body, place=Place(group, body))
    [first] = numbers.receive(1)
    assert (first.body, first.group) == ("a1", "a")
    assert [message.body for message in numbers.receive(10)] == ["b1"]
    assert numbers.receive(10) == [], "a2 comes after a1"
    numbers.delete([first.receipt])
    assert [message.body for message in numbers.receive(10)] == ["a2"]


def test_a_batch_has_a_group_s_messages_in_order(state: State) -> None:
    numbers = fifo(state)
    for count in range(12):
        numbers.send(str(count), place=Place("a", str(count)))
    assert [message.body for message in numbers.receive(10)] == [str(count) for count in range(10)]
    assert numbers.receive(10) == []


def test_what_failed_comes_again_before_those_behind_it(state: State) -> None:
    numbers = fifo(state)
    for body in ("1", "2"):
        numbers.send(body, place=Place("a", body))
    [first] = numbers.receive(1)
    numbers.change_visibility(first.receipt, 0)
    assert [message.body for message in numbers.receive(10)] == ["1", "2"]


def test_the_same_message_within_five_minutes_is_one(state: State) -> None:
    numbers = fifo(state, deduplicates_by_content=True)
    first = numbers.send("x", place=Place("a"))
    assert numbers.send("x", place=Place("a")) == first
    [received] = numbers.receive(10)
    numbers.delete([received.receipt])
    assert numbers.send("x", place=Place("b")) == first, "also when it is gone"
    assert numbers.receive(10) == []
    assert numbers.send("y", place=Place("a")) != first


def test_what_waits_for_others_of_its_group_is_no_reason_to_look(state: State) -> None:
    numbers = fifo(state)
    for body in ("1", "2"):
        numbers.send(body, place=Place("a", body))
    numbers.receive(1)
    due = numbers.next_visible_at()
    assert due is not None
    assert due > time.time() + 30


@pytest.mark.parametrize("place", [Place(), Place("a")])
def test_a_fifo_queue_refuses_what_has_no_group_or_no_id(state: State, place: Place) -> None:
    with pytest.raises(QueueError):
        fifo(state).send("x", place=place)


def test_a_standard_queue_has_no_groups(state: State) -> None:
    with pytest.raises(QueueError):
        queue(state).send("x", place=Place("a", "x"))


def test_a_state_from_before_there_were_groups_still_opens(tmp_path: Path) -> None:
    old = State(tmp_path)
    old.execute("drop index messages_by_group")
    old.execute("alter table messages drop column grouped")
    old.close()
    opened = State(tmp_path)
    fifo(opened).send("x", place=Place("a", "x"))
    opened.close()
