"""The terminal face: Textual screens over the services. It knows no HTTP, no SQL and no paths of its own."""
