"""`dergate tiir settings`: every setting of the standard, with its default and range."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from tiir.setting import Der, Setting
    from tiir.values import Values


def settings(
    normal: Annotated[
        Literal["A", "B"], typer.Option("--normal", help="Normal operating performance category.")
    ] = "B",
    abnormal: Annotated[
        Literal["I", "II", "III"], typer.Option("--abnormal", help="Abnormal operating performance category.")
    ] = "III",
    edition: Annotated[
        Literal["2018", "2018+2020"], typer.Option("--edition", help="With or without the amendment of 2020.")
    ] = "2018",
    storage: Annotated[
        bool, typer.Option("--storage", help="A DER that can absorb active power too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """List every setting of IEEE 1547 with clause, default and range; ratings have neither of these.

    Ranges that refer to other settings are shown as they come out with the defaults around them.
    """
    from tiir import catalogue
    from tiir.complete import complete
    from tiir.setting import Der

    der = Der(normal=normal, abnormal=abnormal, edition=edition, bidirectional=storage)
    values = complete({}, der)
    rows = [_row(setting, der, values) for setting in catalogue.settings().values()]
    if as_json:
        typer.echo(json.dumps({"der": der.model_dump(exclude_none=True), "settings": rows}, allow_nan=False))
    else:
        _print(der, rows)


def _row(setting: Setting, der: Der, values: Values) -> dict[str, Any]:
    return {
        "setting": setting.label,
        "function": setting.function,
        "clause": setting.clause,
        "unit": setting.unit,
        "default": values.get(setting.label),
        "range": setting.range_for(der, {**values, **der.facts}),
    }


def _print(der: Der, rows: list[dict[str, Any]]) -> None:
    from cli.tiir_tables import amount, new_console, new_table, shown_der
    from tiir.values import shown

    table = new_table(shown_der(der), "setting", "clause", "default", "allowed")
    for function, group in groupby(rows, lambda row: row["function"]):
        table.add_section()
        table.add_row(function.replace("_", " "), style="bold")
        for row in group:
            bounds = row["range"]
            allowed = "" if bounds is None else f"{shown(bounds[0])} to {shown(bounds[1])}"
            default = "" if row["default"] is None else amount(row["default"], row["setting"])
            table.add_row(row["setting"], row["clause"], default, allowed)
    console = new_console()
    console.print(table)
    if der.edition != "2018":
        console.print(
            "The times of the amendment (UV1_TRIP_T, UV2_TRIP_T) are recalled: confirm them before use."
        )
