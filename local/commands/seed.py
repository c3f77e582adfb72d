"""`cauri seed`: the demo's market, on the cloud that runs."""

import json

import typer
from rich.console import Console

from local.terminal import DataOption, JsonOption, TemplateOption, data_path, out, print_json, switchboard


def register(app: typer.Typer) -> None:
    app.command()(seed)


def seed(template: TemplateOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Set up the demo's market: a tenant, four vendors, their goods and stock, a customer with a wallet."""
    import httpx

    from local.story.acts import open_market
    from local.story.market import CUSTOMER, TENANT
    from local.story.stage import Stage

    cloud = switchboard(data, template)
    api_url = json.loads((data_path(data, template) / "ready.json").read_text())["api"]
    with httpx.Client(timeout=60, trust_env=False) as http:
        open_market(Stage(Console(quiet=as_json), http, api_url, cloud))
    if as_json:
        print_json({"tenant": TENANT, "customer_id": CUSTOMER})
    else:
        out.print(f"\nThe market's tenant is [bold]{TENANT}[/]; its customer is [bold]{CUSTOMER}[/]. Tokens:")
        out.print(f"  cauri token --tenant {TENANT} --role admin")
        out.print(f"  cauri token --tenant {TENANT} --role customer --customer {CUSTOMER}")
