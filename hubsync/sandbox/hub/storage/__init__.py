"""The storage origin: signed downloads and preview pictures, on a host of its own that must never see a token."""
