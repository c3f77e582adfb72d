"""The log of a time: its records, their accounts, what followed from them, and everything that they touched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from cauri.books.log import Record
from cauri.clock import Instant
from cauri.payments.store import PAYMENTS, payment_id_of_charge, payment_key
from cauri.reconciliation.figures import Sums
from cauri.reconciliation.folded import unfolded
from cauri.reconciliation.looking import Sight, standing
from cauri.reconciliation.model import KEPT_MAX, Difference, Kind, Looked, Repair
from cauri.reconciliation.reading import Logged, items_at, log_between
from cauri.reconciliation.subjects import Subject, look_at, subjects_of

SEEN_MAX: Final = 100_000
"""Subjects that are remembered to have been looked at. Beyond, some are looked at twice."""
NEWS_WAIT: Final = timedelta(minutes=10)
"""So long a provider that announced a success may take to confirm it."""


def look_at_journal(sight: Sight, kind: Kind, since: Instant, until: Instant) -> Looked:
    """What the records of a time say, against what came of them. A hundred of them are in memory at once."""
    checked: Counter[str] = Counter()
    found: list[Difference] = []
    sums, seen = Sums(), set[Subject]()
    for chunk in log_between(sight.database, sight.tenant, since, until):
        records = [one.record for one in chunk if one.record is not None]
        subjects = [subject for subject in subjects_of(records) if subject not in seen]
        for record in records:
            sums.add(record)
        if len(found) >= KEPT_MAX:
            continue  # there is enough to look into; the figures are still to be summed
        found += standing(sight, lambda: _differences(sight, chunk, records, subjects))  # noqa: B023 - looked at now
        checked.update(records=len(chunk))
        checked.update(f"{subject.of}s" for subject in subjects)
        seen = {*subjects} if len(seen) > SEEN_MAX else seen | {*subjects}
    variances = sums.differences(sight.clock()) if kind is Kind.FULL else ()
    return Looked(checked, (*found, *variances)[:KEPT_MAX], sums.figures())


def _differences(
    sight: Sight, chunk: Iterable[Logged], records: Sequence[Record], subjects: Iterable[Subject]
) -> Iterator[Difference]:
    yield from (_unreadable(one) for one in chunk if one.record is None)
    yield from unfolded(sight.database, records)
    yield from _news_without_effect(sight, records)
    yield from look_at(sight, subjects)


def _unreadable(logged: Logged) -> Difference:
    """A record that no command could have committed."""
    postings = _postings(logged)
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[str(posting.get("asset"))] += int(posting.get("amount", 0))
    off = {asset: amount for asset, amount in sums.items() if amount}
    why = f"its entry is off by {off}" if off else logged.problem
    evidence = {"record": logged.log_id, "off": off, "postings": postings}
    return Difference(
        "unreadable_record", logged.log_id, f"record {logged.log_id} is not to be trusted: {why}", evidence
    )


def _postings(logged: Logged) -> list[dict[str, Any]]:
    try:
        entry = json.loads(logged.item["record"]["S"])["entry"]
        return [dict(posting) for posting in entry["postings"]]
    except (ValueError, KeyError, TypeError):
        return []


def _news_without_effect(sight: Sight, records: Iterable[Record]) -> Iterator[Difference]:
    """A provider told us of a success, a while ago, and the payment still stands as if nobody had heard it."""
    now = sight.clock()
    for record in records:
        if record.at + NEWS_WAIT > now:
            continue
        for event in record.events:
            if event.name != "webhook.received" or event.data.get("kind") != "charge.success":
                continue
            key = payment_key(sight.tenant, payment_id_of_charge(str(event.data["reference"])))
            for payment in PAYMENTS.from_items(items_at(sight.database, [key])):
                if payment.is_settled or payment.provider != event.data["provider"]:
                    continue
                evidence = {"webhook": event.resource, "record": record.log_id, "status": str(payment.status)}
                says = f"{payment.provider} announced that {payment.id} is paid, and it is {payment.status}"
                repair = Repair("replay_record", record.log_id)
                yield Difference("news_without_effect", payment.id, says, evidence, repair=repair)
