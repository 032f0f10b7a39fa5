"""The gate: evidence, policy and trust in, one verdict out."""
