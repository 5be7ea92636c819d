"""Test renders: what to draw (plan), the child process that draws it (process, wire), what a person sees (sheet)."""
