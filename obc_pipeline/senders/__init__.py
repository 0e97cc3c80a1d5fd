"""What goes back to those who send files: what did not go on and why, how to mend it, and what a good file looks like."""

from obc_pipeline.senders.report import write_sender_reports

__all__ = ["write_sender_reports"]
