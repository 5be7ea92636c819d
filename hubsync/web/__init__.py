"""The TUI in a browser: textual-serve's server behind a secret address, and the one page it serves."""
