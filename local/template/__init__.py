"""Reads `template.yaml`, the one source of truth, for whatever brings it to life on this machine.

template = read(Path("template.yaml"), {"Stage": "local"})
environment = resolve(template.functions["CheckoutApi"].environment, lookup)
"""

from local.template.definitions import read_definition
from local.template.intrinsics import Lookup, Parameters, UnsupportedIntrinsicError, references, resolve
from local.template.model import (
    Function,
    FunctionUrl,
    Index,
    Keys,
    Parameter,
    Permission,
    Queue,
    QueueConsumer,
    Redrive,
    Route,
    Schedule,
    Secret,
    StateMachine,
    StreamConsumer,
    Table,
    Template,
    Value,
)
from local.template.reader import read

__all__ = [
    "Function",
    "FunctionUrl",
    "Index",
    "Keys",
    "Lookup",
    "Parameter",
    "Parameters",
    "Permission",
    "Queue",
    "QueueConsumer",
    "Redrive",
    "Route",
    "Schedule",
    "Secret",
    "StateMachine",
    "StreamConsumer",
    "Table",
    "Template",
    "UnsupportedIntrinsicError",
    "Value",
    "read",
    "read_definition",
    "references",
    "resolve",
]
