"""The invariants are deployed: reconciliation asks them of what is stored, and tests of what they made."""

from cauri.reconciliation.invariants import *  # noqa: F403
from cauri.reconciliation.invariants import differences as differences
from cauri.reconciliation.invariants import overdue as overdue
