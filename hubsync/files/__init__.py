"""The disk: what model files hold, how they arrive, where they lie, and the sidecars beside them."""
