"""What can be audited: one module a format, each turning a file or directory into an ``Inventory``."""
