"""Stands in for dbt's `adapter` when sqlfluff renders a model: a dispatched macro becomes a call of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def dispatch(macro_name: str, macro_namespace: str | None = None) -> Callable[..., str]:
    """What `adapter.dispatch(...)` gives: something that renders as one SQL expression."""

    def render(*arguments: Any, **_: Any) -> str:
        return f"{macro_name}({', '.join(str(argument) for argument in arguments)})"

    return render
