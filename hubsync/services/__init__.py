"""The verbs: the only thing the command line and the TUI may call."""
