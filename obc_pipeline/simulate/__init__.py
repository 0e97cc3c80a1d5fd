"""What if: the district's own data under other prices, tiers, thresholds, gates, caps, attendance or outcome rates.

`simulate(home, contract_id, scenario)` builds the payment models again, the same SQL, in a scratch copy; nothing in the home is changed.
"""

from obc_pipeline.simulate.answer import Answer, simulate
from obc_pipeline.simulate.scenario import Scenario, read_scenario

__all__ = ["Answer", "Scenario", "read_scenario", "simulate"]
