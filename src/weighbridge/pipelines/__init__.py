"""The steps of a pipeline: measure, sign, gate, verify. Engines are thin adapters around these."""
