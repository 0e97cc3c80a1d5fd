"""Makes the package `benchmarks` importable: it is part of the checkout, not of what is installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
