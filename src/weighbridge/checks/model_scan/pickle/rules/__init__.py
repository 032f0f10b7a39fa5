"""The rules about listed names, one module an idea."""
