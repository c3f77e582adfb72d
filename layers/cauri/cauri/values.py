"""Dataclasses whose methods are made when they are first called.

The standard library writes and compiles the methods of a dataclass when its module is imported: 0.8 ms a class, which
was most of a function's start. Of most classes that a function imports it never makes an instance.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import field
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

__all__ = ["dataclass", "field", "replace"]

T = TypeVar("T")


@overload
def dataclass(cls: type[T], /) -> type[T]: ...
@overload
def dataclass(*, frozen: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: type[T] | None = None, /, *, frozen: bool = False) -> type[T] | Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass`: the fields at once, and the methods, by the standard library itself, when needed.

    For classes that extend no other dataclass. A class with many instances may have slots: take the original.
    """

    def declare(cls: type[T]) -> type[T]:
        made_later = ["__init__", "__repr__", "__eq__", *(["__hash__"] if frozen else [])]
        names = [name for name in made_later if name not in vars(cls)]
        methods = _Methods(cls, frozen=frozen)
        written_doc, cls.__doc__ = cls.__doc__, "has one"  # else its signature is made into one, which takes longest
        declared: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        cls.__doc__ = written_doc
        for name in names:
            setattr(declared, name, methods.when_called(declared, name, names))
        if frozen:
            declared.__setattr__ = declared.__delattr__ = _refuse
        else:
            declared.__hash__ = None  # as the standard library has it: what can change has no hash
        return cls

    return declare if cls is None else declare(cls)


class _Methods:
    """The methods of one class, made on a twin of it, so that another thread never sees it without."""

    def __init__(self, cls: type, *, frozen: bool) -> None:
        kept = ("__annotations__", "__module__", "__qualname__", "__post_init__")
        written = vars(cls)
        names = [*kept, *written.get("__annotations__", {})]
        self._body = {name: written[name] for name in names if name in written}
        self._frozen = frozen

    def when_called(self, cls: type, name: str, names: list[str]) -> Callable[..., Any]:
        def first_call(instance: Any, *args: Any, **kwargs: Any) -> Any:
            twin: type = dataclasses.dataclass(frozen=self._frozen)(type(cls.__name__, (), dict(self._body)))
            for each in names:
                setattr(cls, each, vars(twin)[each])
            return vars(twin)[name](instance, *args, **kwargs)

        return first_call


def replace(instance: T, /, **changes: Any) -> T:
    """As `dataclasses.replace`. It copies what is there, where nothing else happens when an instance is made."""
    cls: Any = type(instance)
    names = _copied(cls)
    if names is None or not changes.keys() <= names:
        return dataclasses.replace(instance, **changes)  # type: ignore[type-var]
    copied: T = cls.__new__(cls)
    known = vars(instance)
    vars(copied).update({name: known[name] for name in names}, **changes)
    return copied


@functools.cache
def _copied(cls: type) -> frozenset[str] | None:
    """The fields of a dataclass, if to have them is all that an instance takes."""
    fields = dataclasses.fields(cls)
    if hasattr(cls, "__post_init__") or hasattr(cls, "__slots__") or not all(one.init for one in fields):
        return None
    return frozenset(one.name for one in fields)


def _refuse(instance: Any, name: str, *_: Any) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"{type(instance).__name__}.{name} does not change")
