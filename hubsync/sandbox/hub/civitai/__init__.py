"""Civitai's side of the sandbox: the public REST API, its download route and a few pages, over a fixed catalogue."""
