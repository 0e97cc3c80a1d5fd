"""Which groups are too small to show, and what else must be hidden so that nobody can work them out."""
