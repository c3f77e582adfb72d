"""`cauri`: the command line. Every file of `local/commands` adds its commands."""

import importlib
import pkgutil

import typer

from local import commands

app = typer.Typer(
    name="cauri",
    help="The money-and-orders backend of a marketplace, whole on this machine.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """The entry point. Exits with a status other than 0 on failure."""
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"local.commands.{module.name}").register(app)
    app()
