"""What the pipeline costs, beside a floor and beside the script one would write without it."""
