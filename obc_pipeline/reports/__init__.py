"""Reports for people outside the pipeline: the statement a procurement office pays from and a vendor can check, as XLSX and PDF."""

from obc_pipeline.reports.statement import AUDIENCES, Statement, read_statement
from obc_pipeline.reports.writing import write_statement

__all__ = ["AUDIENCES", "Statement", "read_statement", "write_statement"]
