"""hubsync: find, install, understand and test-render Stable Diffusion LoRAs from the terminal."""
