"""Which route of an HTTP API takes a request: the most specific one that has the method, as API Gateway chooses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from local.template import Route

LITERAL, VARIABLE, GREEDY = range(3)
DEFAULT: Final = "$default"


@dataclass(frozen=True, slots=True)
class Match:
    route_key: str
    function: str
    path_parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Pattern:
    method: str
    path: str
    function: str
    segments: tuple[tuple[int, str], ...]

    @property
    def rank(self) -> tuple[tuple[int, ...], bool]:
        """Smaller is more specific: literal before variable before greedy, segment by segment; a method before ANY."""
        return tuple(kind for kind, _ in self.segments), self.method == "ANY"

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """The path's parameters, or None when this is not its route."""
        if self.method not in (method, "ANY"):
            return None
        parameters: dict[str, str] = {}
        for position, (kind, text) in enumerate(self.segments):
            rest = segments[position:]
            if not rest or (kind == LITERAL and rest[0] != text):
                return None
            if kind == GREEDY:
                return parameters | {text: "/".join(rest)} if rest[0] else None
            if kind == VARIABLE:
                if not rest[0]:
                    return None
                parameters[text] = rest[0]
        return parameters if len(segments) == len(self.segments) else None


class Router:
    """The routes of one API."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        self._default = next((route for route in routes if route.path == DEFAULT), None)
        self._patterns = sorted(
            (_pattern(route) for route in routes if route.path != DEFAULT), key=lambda pattern: pattern.rank
        )

    def match(self, method: str, path: str) -> Match | None:
        """`path` is already decoded: API Gateway decodes before it chooses, so %2F separates segments."""
        segments = path.removeprefix("/").split("/")
        for pattern in self._patterns:
            parameters = pattern.match(method, segments)
            if parameters is not None:
                return Match(f"{pattern.method} {pattern.path}", pattern.function, parameters)
        if self._default is not None:
            return Match(DEFAULT, self._default.function, {})
        return None


def _pattern(route: Route) -> _Pattern:
    segments = tuple(_segment(text) for text in route.path.removeprefix("/").split("/"))
    return _Pattern(route.method, route.path, route.function, segments)


def _segment(text: str) -> tuple[int, str]:
    if text.startswith("{") and text.endswith("+}"):
        return GREEDY, text[1:-2]
    if text.startswith("{") and text.endswith("}"):
        return VARIABLE, text[1:-1]
    return LITERAL, text
