"""The whole path on real data, on one machine: four models, four endings."""
