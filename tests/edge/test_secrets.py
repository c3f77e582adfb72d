"""Tenants' keys at outside parties: read seldom, two live at once, and not for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import pytest
from cauri.edge.secrets import FRESH_SECONDS, MISSED_SECONDS, STALE_SECONDS_MAX, TenantKeys
from cauri.providers.keys import KeysUnavailableError


@dataclass
class Manager:
    """Secrets Manager, as far as it is asked here, and a watch."""

    text: str = ""
    now: float = 1000.0
    reads: int = 0
    broken: bool = False
    keys: TenantKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = TenantKeys(self.read, lambda: self.now)

    def read(self) -> str:
        self.reads += 1
        if self.broken:
            raise botocore.exceptions.EndpointConnectionError(endpoint_url="https://secrets")
        return self.text

    def has(self, **keys: Any) -> None:
        self.text = json.dumps(keys)


def test_keys_are_read_once_for_all_tenants_and_again_when_they_are_old() -> None:
    manager = Manager()
    manager.has(soko=["sk_new", "sk_old"], kiosk=["sk_kiosk"])
    for _ in range(50):
        assert (manager.keys("soko"), manager.keys("kiosk")) == (["sk_new", "sk_old"], ["sk_kiosk"])
    assert manager.reads == 1
    manager.has(soko=["sk_newer", "sk_new"])
    manager.now += FRESH_SECONDS + 1
    assert manager.keys("soko") == ["sk_newer", "sk_new"]
    assert manager.reads == 2


def test_a_tenant_without_keys_has_none_and_is_looked_for_again_soon() -> None:
    manager = Manager()
    manager.has(soko=["sk"])
    for _ in range(50):
        assert manager.keys("kiosk") == ()
    assert manager.reads == 1, "whoever makes up tenants costs nothing"
    manager.has(kiosk=["sk_kiosk"])
    manager.now += MISSED_SECONDS + 1
    assert manager.keys("kiosk") == ["sk_kiosk"]


def test_what_was_read_serves_for_an_hour_while_nothing_can_be_read() -> None:
    manager = Manager()
    manager.has(soko=["sk"])
    assert manager.keys("soko") == ["sk"]
    manager.broken = True
    manager.now += STALE_SECONDS_MAX - 1
    assert manager.keys("soko") == ["sk"]
    manager.now += 2
    with pytest.raises(KeysUnavailableError):
        manager.keys("soko")
    manager.broken = False
    manager.now += 2
    assert manager.keys("soko") == ["sk"]


@pytest.mark.parametrize("text", ["", "[]", '{"soko": "sk"}', '{"soko": [""]}', '{"soko": [1]}'])
def test_a_secret_that_is_not_as_agreed_opens_nothing(text: str) -> None:
    with pytest.raises(KeysUnavailableError):
        Manager(text).keys("soko")


def test_an_empty_secret_has_nobody() -> None:
    assert Manager("{}").keys("soko") == ()
