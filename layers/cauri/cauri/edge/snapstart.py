"""Lambda SnapStart: a function's memory is kept when it is ready, and copies of it are woken for requests.

Lambda's runtime brings the package that tells of it. Where there are no snapshots, it need not be there.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def on_snapshots(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Have `before` called ahead of the snapshot, if one will be taken, and `after` in every copy that wakes.

    Lambda gives `before` two minutes, and `after` ten seconds.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(before)
    register_after_restore(after)
