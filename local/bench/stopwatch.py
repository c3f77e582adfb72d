"""Run in a fresh process: `python stopwatch.py MODULE…` imports the modules, and prints what that took as JSON."""

import importlib
import json
import sys
import sysconfig
import time


def main(modules: list[str]) -> None:
    before = set(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    for module in modules:
        importlib.import_module(module)
    took = {"cpu_ms": (time.process_time() - cpu) * 1000, "wall_ms": (time.perf_counter() - wall) * 1000}
    loaded = [name for name in list(sys.modules) if name not in before and _is_third_party(name)]
    print(json.dumps(took | {"third_party": loaded}))


def _is_third_party(name: str) -> bool:
    """Installed, and not made up at run time."""
    origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None) or ""
    return origin.startswith((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))


if __name__ == "__main__":
    main(sys.argv[1:])
