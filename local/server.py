"""Serves a local cloud until it is told to stop: `cauri dev` in its own process, `LocalCloud` in a child's.

`python -m local.server OPTIONS` runs until its standard input closes, which it does when whoever started it ends.
"""

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop
from watchfiles import Change, DefaultFilter, awatch

from local.assembly import Cloud, Options
from local.http.front import Front

READY: Final = "ready.json"  # in the state directory while a cloud runs: how the command line finds it
CODE_SUFFIXES: Final = (".py", ".yaml", ".json", ".html", ".txt")
LAYERS: Final = "layers"

Told = Callable[[Cloud], None]
ToldOfChange = Callable[[list[str]], None]
log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: when to stop is ours to say."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(options: Options, on_ready: Told, stop: asyncio.Event, on_reload: ToldOfChange | None = None) -> None:
    """Run a cloud until `stop` is set. With `on_reload`, follow the code, and tell which files changed.

    Raises what `Cloud` raises when it can't start.
    """
    cloud = Cloud(options)
    ready = options.data / READY
    async with cloud:
        server = _server(cloud)
        serving = asyncio.create_task(server.serve(sockets=[each.socket for each in cloud.listeners.values()]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.001)
        ready.write_text(json.dumps(cloud.describe()))
        on_ready(cloud)
        following = asyncio.create_task(_follow(cloud, on_reload)) if on_reload else None
        try:
            await _first(stop, serving)
        finally:
            ready.unlink(missing_ok=True)
            if following is not None:
                following.cancel()
            server.should_exit = True
            await serving


def _server(cloud: Cloud) -> _Server:
    sites = Front(cloud.sites)
    config = uvicorn.Config(
        sites,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


async def _first(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({told, serving}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()


class _CodeFilter(DefaultFilter):
    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, path) and path.endswith(CODE_SUFFIXES)


async def _follow(cloud: Cloud, on_reload: ToldOfChange) -> None:
    directory = cloud.template.directory
    roots = {directory / function.code.parts[0] for function in cloud.template.functions.values()}
    watched = [root for root in sorted(roots | {directory / LAYERS}) if root.exists()]
    async for changes in awatch(*watched, watch_filter=_CodeFilter()):
        try:
            await cloud.reload()
        except (ValueError, KeyError, OSError) as error:  # a file that is half written, or wrong
            log.error("not reloaded: %s", error)
        else:
            on_reload(sorted(str(Path(path).relative_to(directory)) for _, path in changes))


def stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


async def _until_orphaned(options: Options) -> None:
    """Serve, saying where on standard output, until standard input closes."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    await serve(options, lambda cloud: print(json.dumps(cloud.describe()), flush=True), stop)


def main(template: str, data: str, **options: Any) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvloop.run(_until_orphaned(Options(Path(template), Path(data), **options)))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
