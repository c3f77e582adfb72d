"""Our dataclasses are the standard library's, except for when their methods are made."""

from __future__ import annotations

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from cauri import values
from pydantic import TypeAdapter


def declare(dataclass: Any) -> dict[str, Any]:
    """The same classes by one decorator or the other."""

    @dataclass(frozen=True)
    class Fixed:
        """With defaults of each kind."""

        code: ClassVar[str] = "fixed"
        a: int
        b: str = "b"
        c: dict[str, int] = dataclasses.field(default_factory=dict)

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    @dataclass
    class Loose(Exception):  # noqa: N818 - as our refusals are
        a: int
        b: str = "b"

        def __str__(self) -> str:
            return f"{self.a} and {self.b}"

    @dataclass(frozen=True)
    class Named:
        a: int

        def __repr__(self) -> str:
            return "by name"

    return {"Fixed": Fixed, "Loose": Loose, "Named": Named}


THEIRS = declare(dataclasses.dataclass)


def both(act: Any) -> tuple[Any, Any]:
    """What `act` comes to with our classes and with the standard library's: its result, or its error."""

    def outcome(classes: dict[str, Any]) -> Any:
        try:
            return act(classes)
        except (TypeError, ValueError, dataclasses.FrozenInstanceError) as error:
            return type(error)

    return outcome(declare(values.dataclass)), outcome(THEIRS)


@pytest.mark.parametrize(
    "act",
    [
        lambda c: repr(c["Fixed"](1)),
        lambda c: repr(c["Named"](1)),
        lambda c: str(c["Loose"](1)),
        lambda c: c["Fixed"](1) == c["Fixed"](1, "b", {}),
        lambda c: c["Fixed"](1) == c["Fixed"](2),
        lambda c: c["Fixed"](1) == c["Named"](1),
        lambda c: hash(c["Named"](1)) == hash(c["Named"](1)),
        lambda c: hash(c["Loose"](1)),
        lambda c: c["Fixed"](),
        lambda c: c["Fixed"](-1),
        lambda c: c["Fixed"](1, d=2),
        lambda c: setattr(c["Fixed"](1), "a", 2),
        lambda c: setattr(c["Fixed"](1), "d", 2),
        lambda c: delattr(c["Fixed"](1), "a"),
        lambda c: setattr(c["Loose"](1), "a", 2),
        lambda c: dataclasses.asdict(c["Fixed"](1, c={"x": 1})),
        lambda c: dataclasses.replace(c["Fixed"](1), b="c").b,
        lambda c: [(f.name, f.default) for f in dataclasses.fields(c["Fixed"])][:2],
        lambda c: c["Fixed"](1).c is c["Fixed"](1).c,
        lambda c: copy.deepcopy(c["Fixed"](1)) == c["Fixed"](1),
        lambda c: c["Fixed"].__match_args__,
        lambda c: TypeAdapter(c["Fixed"]).validate_json('{"a": 1, "c": {"x": 2}}').c,
        lambda c: repr(TypeAdapter(c["Fixed"]).validate_json('{"a": 1}')),
        lambda c: TypeAdapter(c["Fixed"]).validate_json('{"a": 1}') == c["Fixed"](1),
        lambda c: TypeAdapter(c["Fixed"]).validate_json('{"a": -1}'),
        lambda c: TypeAdapter(c["Fixed"]).json_schema(),
        lambda c: TypeAdapter(c["Fixed"]).dump_json(c["Fixed"](1)),
        lambda c: setattr(TypeAdapter(c["Named"]).validate_json('{"a": 1}'), "a", 2),
    ],
)
def test_they_behave_alike(act: Any) -> None:
    ours, theirs = both(act)
    assert ours == theirs


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    a: int
    b: str = "b"


@dataclasses.dataclass(frozen=True)
class Derived:
    a: int
    b: int = dataclasses.field(init=False, default=7)


@pytest.mark.parametrize(
    "act",
    [
        lambda c, replace: replace(c["Fixed"](1), b="c"),
        lambda c, replace: replace(c["Fixed"](1), a=-1),
        lambda c, replace: replace(c["Named"](1), a=2).a,
        lambda c, replace: replace(c["Named"](1), d=2),
        lambda c, replace: replace(c["Named"](1)).a,
        lambda c, replace: str(replace(c["Loose"](1), b="c")),
        lambda c, replace: replace(Slotted(1), a=2),
        lambda c, replace: replace(Derived(1), a=2).b,
        lambda c, replace: replace(Derived(1), b=2),
    ],
)
def test_a_copy_with_changes_is_as_the_standard_library_makes_it(act: Any) -> None:
    def outcome(replace: Any) -> Any:
        try:
            return repr(act(THEIRS, replace))
        except (TypeError, ValueError) as error:
            return type(error)

    assert outcome(values.replace) == outcome(dataclasses.replace)


def test_a_copy_is_another_instance_and_the_first_stays_as_it_was() -> None:
    first = declare(values.dataclass)["Named"](1)
    second = values.replace(first, a=2)
    assert (first.a, second.a, type(second)) == (1, 2, type(first))
    with pytest.raises(dataclasses.FrozenInstanceError):
        second.a = 3


def test_an_instance_made_while_another_thread_makes_the_first_is_whole() -> None:
    for _ in range(50):
        fixed = declare(values.dataclass)["Fixed"]
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(fixed, range(32)))
        assert [one.a for one in made] == list(range(32))
