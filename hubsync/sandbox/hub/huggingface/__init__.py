"""Hugging Face's side of the sandbox: the Hub API that the unmodified huggingface_hub client speaks."""
