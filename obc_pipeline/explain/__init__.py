"""Why a payment line is what it is: `explain(home, key)` gives the whole account, `show_account` puts it on the terminal."""

from obc_pipeline.explain.account import explain
from obc_pipeline.explain.show import show_account

__all__ = ["explain", "show_account"]
