"""Models of the dbt project rendered without dbt, to run on tables that a test fills: for the few that are pure arithmetic."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
_MACROS = ("statistics/association.sql", "statistics/intervals.sql", "settlement/wilson.sql", "safe_divide.sql")


def model(name: str, tables: dict[str, str] | None = None) -> str:
    """The model's SELECT; what it refers to is read from a table of the same name, or of the name given for it."""
    (path,) = PROJECT.glob(f"models/**/{name}.sql")
    macros = "".join((PROJECT / "macros" / macro).read_text(encoding="utf-8") for macro in _MACROS)
    named = tables or {}

    def ref(referred: str) -> str:
        return named.get(referred, referred)

    def source(schema: str, table: str) -> str:
        return named.get(f"{schema}.{table}", f"{schema}.{table}")

    dated = "{% macro as_of_date() %}date '2026-06-30'{% endmacro %}"
    return Environment().from_string(macros + dated + path.read_text(encoding="utf-8")).render(ref=ref, source=source)


def expression(call: str) -> str:
    """One macro call as SQL."""
    macros = "".join((PROJECT / "macros" / macro).read_text(encoding="utf-8") for macro in _MACROS)
    return Environment().from_string(macros + "{{ " + call + " }}").render().strip()
