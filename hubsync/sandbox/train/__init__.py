"""Trains the sandbox's checkpoint, LoRAs and embedding from nothing, and measures them."""
