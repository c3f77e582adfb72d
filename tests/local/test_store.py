"""S3 of the local cloud: what is put there once stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.http.events import Request
from local.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "objects")


def ask(store: Store, method: str, key: str, body: bytes = b"") -> tuple[int, bytes]:
    path = f"/_s3/bucket/{key}"
    answer = store.answer(Request(method, path, path, "", [], body, "127.0.0.1", "1.1", 80))
    return answer.status, answer.body


def test_an_object_is_put_once_and_read(store: Store) -> None:
    assert ask(store, "PUT", "soko/00/1.json", b"first")[0] == 200
    assert ask(store, "PUT", "soko/00/1.json", b"second")[0] == 412
    assert ask(store, "GET", "soko/00/1.json") == (200, b"first")


def test_what_is_not_there_says_so_and_nothing_is_deleted(store: Store) -> None:
    status, body = ask(store, "GET", "nothing")
    assert (status, b"NoSuchKey" in body) == (404, True)
    ask(store, "PUT", "kept", b"it")
    assert ask(store, "DELETE", "kept")[0] == 403
    assert ask(store, "GET", "kept") == (200, b"it")


def test_a_key_is_a_file_of_the_bucket_and_no_path(store: Store, tmp_path: Path) -> None:
    ask(store, "PUT", "../../escaped", b"it")
    assert [path.parent.name for path in tmp_path.rglob("*") if path.is_file()] == ["bucket"]
