"""Refusals: a rule says no, and says why. And the two ways in which nobody knows yet."""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, and no error of ours
    """A rule says no, and nothing moved.

    A subclass is a dataclass of the facts, has a stable `code`, and says in `detail` what is wrong. The
    edge alone knows which HTTP status a code has.
    """

    code: ClassVar[str]

    def detail(self) -> str:
        raise TypeError(f"{type(self).__name__} does not say what it refuses")

    def suggestion(self) -> str | None:
        """What a person can do about it, where there is something."""
        return None

    def facts(self) -> dict[str, object]:
        """What a program may want to know, beyond the code: members of the problem document."""
        return {}

    def __str__(self) -> str:
        return self.detail()


class Unsettled(Exception):  # noqa: N818
    """This attempt may or may not have taken effect; the same command under the same key will tell."""


class ContendedError(Unsettled):
    """Somebody else changed what this command had read, or is changing it: run it again."""


class UnavailableError(Unsettled):
    """The database did not answer, or asked us to slow down."""
