"""The bench: what the engine costs, as ratios to the bare work of the same run."""
