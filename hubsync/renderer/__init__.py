"""The child process `python -m hubsync.renderer`: one JSON request a line in, JSON lines out; made of torch."""
