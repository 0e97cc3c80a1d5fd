"""Quality: Great Expectations suites, the row rules compiled from them, their verdicts and what those verdicts block."""
