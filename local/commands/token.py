"""`cauri token`: a bearer token of the development issuer."""

from enum import StrEnum
from typing import Annotated

import typer

from local.terminal import DataOption, JsonOption, TemplateOption, print_json, switchboard


class Role(StrEnum):
    CUSTOMER = "customer"
    VENDOR = "vendor"
    PARTNER = "partner"
    MANAGER = "manager"
    FINANCE = "finance"
    ADMIN = "admin"
    GUEST = "guest"


def register(app: typer.Typer) -> None:
    app.command()(token)


def token(
    tenant: Annotated[str, typer.Option(help="The tenant it is for.")],
    role: Annotated[list[Role], typer.Option(help="What the person is. Repeat.")],
    customer: Annotated[str | None, typer.Option(help="The customer it speaks for.")] = None,
    vendor: Annotated[str | None, typer.Option(help="The vendor it speaks for.")] = None,
    email: Annotated[str | None, typer.Option(help="An email address that it proves.")] = None,
    sub: Annotated[str, typer.Option(help="The subject: who holds it.")] = "developer",
    days: Annotated[float, typer.Option(help="How long it is good.", min=0)] = 1.0,
    template: TemplateOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a token that the running cloud accepts: curl -H "Authorization: Bearer $(cauri token ...)"."""
    for needed, given in ((Role.CUSTOMER, customer), (Role.VENDOR, vendor)):
        if needed in role and given is None:
            raise typer.BadParameter(f"a {needed} speaks for one: --{needed} ID")
    issued = switchboard(data, template).token(
        tenant=tenant,
        roles=[str(one) for one in role],
        customer_id=customer,
        vendor_id=vendor,
        email=email,
        sub=sub,
        days=days,
    )
    if as_json:
        print_json({"token": issued})
    else:
        print(issued)
