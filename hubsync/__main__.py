"""`python -m hubsync` is the `hubsync` command."""

from __future__ import annotations

from hubsync.cli.main import main

if __name__ == "__main__":
    main()
