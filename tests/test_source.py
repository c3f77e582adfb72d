"""The house rules that no linter knows, read off the source."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYER = ROOT / "layers" / "cauri" / "cauri"
DEPLOYED = [*LAYER.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]

EDGE = "the outermost edge may catch everything, to log it and answer; the domain may not"


def lines_with(pattern: str, files: list[Path]) -> Iterator[str]:
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            if re.search(pattern, line):
                yield f"{file.relative_to(ROOT)}:{number}: {line.strip()}"


@pytest.mark.parametrize(
    ("rule", "pattern", "allowed"),
    [
        ("money never goes through a float", r"\bfloat\(", ()),
        ("time is passed in", r"datetime\.now\(|utcnow\(|time\.time\(", ("layers/cauri/cauri/clock.py",)),
        ("ids follow from the command", r"uuid4\(|uuid1\(|ULID\(\)", ("layers/cauri/cauri/edge/",)),
        ("randomness is the system's", r"^import random|from random import", ("layers/cauri/cauri/edge/wiring.py",)),
        ("no repair tool, no Scan", r"\.scan\(|\"Scan\"", ()),
        ("nothing is left for later", r"\bTODO\b|\bFIXME\b|NotImplemented", ()),
        (
            "a dataclass is of cauri.values, so that its methods are made when needed",
            r"^from dataclasses import .*\b(dataclass|replace|field)\b",
            (
                "layers/cauri/cauri/values.py",
                "layers/cauri/cauri/money.py",  # these are made by the thousand, and have slots
                "layers/cauri/cauri/books/ledger.py",
                "layers/cauri/cauri/books/shelf.py",
            ),
        ),
        ("secrets do not go to the log", r"log(ger)?\.\w+\(.*(secret|token|authorization)", ()),
    ],
)
def test_a_house_rule_holds(rule: str, pattern: str, allowed: tuple[str, ...]) -> None:
    broken = [line for line in lines_with(pattern, DEPLOYED) if not line.startswith(allowed or ("\0",))]
    assert broken == [], rule


def test_only_the_edge_and_the_threads_catch_everything() -> None:
    broad = list(lines_with(r"except Exception\b|except:|except BaseException", DEPLOYED))
    allowed = (
        "layers/cauri/cauri/edge/",
        "layers/cauri/cauri/books/database.py",
        "layers/cauri/cauri/books/commit.py",  # to undo what came before a commit that fails, and raise it again
        "layers/cauri/cauri/billing/run_saga.py",  # whatever fails for one customer of a run is reported of that one
    )
    assert [line for line in broad if not line.startswith(allowed)] == [], EDGE


def test_only_the_log_module_and_the_commit_write_the_log() -> None:
    writers = set(lines_with(r"\"TableName\": \"log\"|\blog\.put\(", DEPLOYED))
    assert {line.split(":")[0] for line in writers} == {
        "layers/cauri/cauri/books/log.py",
        "layers/cauri/cauri/books/commit.py",
    }


def test_models_and_money_import_no_library_of_the_cloud() -> None:
    pure = [*LAYER.glob("*/model.py"), LAYER / "money.py", LAYER / "books" / "ledger.py", LAYER / "books" / "plan.py"]
    assert list(lines_with(r"^\s*(from|import) (pynamodb|botocore|aws_lambda_powertools|urllib3|pydantic)", pure)) == []
