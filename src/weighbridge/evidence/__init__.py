"""Signed statements about one model: predicates, envelopes, bundles, keys and where they are kept."""
