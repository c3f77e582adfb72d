"""How the story shows orders, stock and books in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iso4217 import Currency
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from local.story.market import Goods

Json = Mapping[str, Any]

COLOURS = {"CONFIRMED": "green", "PENDING_PAYMENT": "yellow", "CANCELLED": "red", "ALLOCATED": "green"}


def amount(minor: int, currency: str) -> str:
    """``KES 1,250.00``"""
    digits = 0 if currency == "PTS" else Currency(currency).exponent or 0
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")


def money(value: Json) -> str:
    return amount(value["amount"], value["currency"])


def status(name: str) -> str:
    return f"[{COLOURS.get(name, 'cyan')}]{name}[/]"


def order_tree(order: Json) -> Tree:
    """An order, what each vendor sells in it, and how it is paid."""
    tree = Tree(f"[bold]{order['number']}[/]  {status(order['status'])}  [bold]{money(order['total'])}[/]")
    for share in order["vendor_orders"]:
        commission = f"commission {share['commission_bps'] / 100:g} % = {money(share['commission'])}"
        branch = tree.add(f"{share['number']}  {share['vendor_id']}  {status(share['status'])}  [dim]{commission}[/]")
        for line in share["lines"]:
            branch.add(f"{line['quantity']} × {line['title']}  {money(line['total'])}  {status(line['status'])}")
        branch.add(f"[dim]shipping {money(share['shipping'])} + tax {money(share['shipping_tax'])}[/]")
    paid = tree.add("paid with")
    for tender in order["payments"]:
        paid.add(f"{_by(tender)}  {money(tender['amount'])}  [dim]{tender['status']}[/]")
    return tree


def _by(tender: Json) -> str:
    kinds = ", ".join(each["kind"].replace("_", " ") for each in tender["drawn"])
    return f"{tender['kind']}: {kinds}" if kinds else str(tender["provider"])


def stock_table(stocks: Iterable[Json], goods: Mapping[str, Goods]) -> Table:
    table = Table(
        title="Stock", title_justify="left", caption="✓ on hand is what was received: nothing was shipped yet"
    )
    for column in ("SKU", "", "on hand", "available", "reserved", "allocated", ""):
        table.add_column(
            column, justify="right" if column in ("on hand", "available", "reserved", "allocated") else "left"
        )
    for stock in stocks:
        parts = [stock["available"], stock["reserved"], stock["allocated"]]
        known = goods[stock["sku"]]
        adds_up = "[green]✓[/]" if known.stock == stock["on_hand"] == sum(parts) else "[red]✗[/]"
        table.add_row(known.sku, known.title, str(stock["on_hand"]), *map(str, parts), adds_up)
    return table


def trial_balance(books: Json) -> Table:
    table = Table(title="Trial balance", title_justify="left")
    for column in ("account", "asset", "debit", "credit"):
        table.add_column(column, justify="right" if column in ("debit", "credit") else "left")
    for account in books["accounts"]:
        asset = account["asset"]
        table.add_row(account["account"], asset, *(_side(account[side], asset) for side in ("debit", "credit")))
    table.add_section()
    for total in books["totals"]:
        asset = total["asset"]
        table.add_row(
            "[bold]sum[/]", asset, *(f"[bold]{amount(total[side], asset)}[/]" for side in ("debit", "credit"))
        )
    return table


def tally(counts: Mapping[str, int]) -> Text:
    """``50 confirmed · 150 refused``"""
    return Text(" · ".join(f"{count} {what}" for what, count in counts.items()))


def _side(minor: int, asset: str) -> str:
    return amount(minor, asset) if minor else ""
