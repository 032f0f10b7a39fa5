"""Programs that write model folders. Each runs in an environment of its own and imports nothing of the project."""
