"""From files in `landing/` to evidence: receive and archive, read and account, select what counts at a cutoff, register it."""
