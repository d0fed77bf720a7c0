"""What is wrong with a catalog: one module for each family of faults, each a pure function over words."""
