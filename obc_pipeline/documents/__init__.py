"""The district's documents: data map, contracts with their rate cards, continuous-improvement structure, and `obc.yml`.

They are the configuration: `load` for a run, `validate` for whoever edits them, `write_tables` for dbt, `init_home` for a start.
"""

from obc_pipeline.documents.contract import Contract, Obligation, RateCardLine
from obc_pipeline.documents.data_map import DataMapRow, Source
from obc_pipeline.documents.district import Settings
from obc_pipeline.documents.loading import Documents, load, validate
from obc_pipeline.documents.problem import DocumentsInvalid, Problem
from obc_pipeline.documents.starting import HomeInUse, init_home
from obc_pipeline.documents.tables import write_tables

__all__ = [
    "Contract",
    "DataMapRow",
    "Documents",
    "DocumentsInvalid",
    "HomeInUse",
    "Obligation",
    "Problem",
    "RateCardLine",
    "Settings",
    "Source",
    "init_home",
    "load",
    "validate",
    "write_tables",
]
