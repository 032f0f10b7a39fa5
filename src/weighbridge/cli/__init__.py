"""The command line: one file a sub-command, loaded only when it is called."""
