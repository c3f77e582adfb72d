"""Who is on stage: the console, the API, the people, and how long things took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from rich.console import Console
from rich.panel import Panel

from local.story.client import Client
from local.story.market import CUSTOMER, TENANT, Staff


class TokenSource(Protocol):
    def token(self, *, tenant: str, roles: list[str], **claims: Any) -> str:
        """A bearer token."""

    def admit(self, party: str, tenant: str) -> str:
        """Give a tenant a key at an outside party that is played here. The key."""


@dataclass
class Stage:
    console: Console
    http: httpx.Client
    api_url: str
    tokens: TokenSource

    def __post_init__(self) -> None:
        self.admin = self.person(["admin"], sub="usr_admin")
        manager, finance = (self.person([role], sub=f"usr_{role}") for role in ("manager", "finance"))
        self.staff = Staff(self.admin, manager, finance)
        self.amina = self.person(["customer"], sub="usr_amina", customer_id=CUSTOMER)
        self.guest = self.person(["guest"], sub="jua_shop")

    def person(self, roles: list[str], **claims: Any) -> Client:
        return Client(self.http, self.api_url, self.tokens.token(tenant=TENANT, roles=roles, **claims))

    def act(self, title: str, told: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{title}[/]", align="left")
        self.console.print(told)
        self.console.print()

    def step(self, text: str) -> None:
        self.console.print(f"  [cyan]→[/] {text}")

    def good(self, text: str) -> None:
        self.console.print(f"  [green]✓[/] {text}")

    def check(self, holds: bool, text: str) -> None:
        """Say what must hold; a story that does not hold ends here."""
        if not holds:
            raise StoryError(text)
        self.good(text)

    def timed(self, what: str, call: Callable[[], Any]) -> Any:
        """Do one thing, and say how long it took."""
        began = time.perf_counter()
        with self.console.status(what):
            result = call()
        self.step(f"{what} [dim]({(time.perf_counter() - began) * 1000:.0f} ms)[/]")
        return result

    def panel(self, content: Any, title: str) -> None:
        self.console.print(Panel(content, title=title, title_align="left", expand=False))


class StoryError(Exception):
    """Something that must hold did not."""
