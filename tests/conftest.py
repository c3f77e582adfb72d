import os

import pytest

pytest_plugins = ["tests.engines", "tests.shop", "tests.tally"]

if "CI" in os.environ:
    # pytest prints differences whole where this is set, which hides the summary. Hypothesis also looks at an empty one.
    os.environ["CI"] = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=300, help="how many histories the unbounded run plays")
