"""Prompts as text: what AUTOMATIC1111 makes of them, and trigger words and tags put in and taken out exactly."""
