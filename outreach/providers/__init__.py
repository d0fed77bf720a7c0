"""Who carries it: one file per carrier, speaking our words."""
