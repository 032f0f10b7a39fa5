"""The confined process in which a check opens an untrusted model, and the parent that starts and judges it."""
