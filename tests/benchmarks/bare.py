"""What a test render takes without hubsync: a script of diffusers alone, with nothing checked, counted or kept.

Run as a script with checkpoint, LoRA, weight, prompt, trigger word, steps, guidance and folder. With a word it draws
the base, the LoRA, and the LoRA with the word before the prompt; without, the LoRA alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline


def main() -> None:
    """Draw the pictures one by one, each written once drawn."""
    checkpoint, lora, weight, prompt, word, steps, guidance, folder = sys.argv[1:]
    pipe = StableDiffusionPipeline.from_pretrained(
        checkpoint, dtype=torch.float32, safety_checker=None, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)

    def draw(text: str, name: str) -> None:
        dice = torch.Generator().manual_seed(1)
        drawn = pipe(text, generator=dice, num_inference_steps=int(steps), guidance_scale=float(guidance))
        drawn.images[0].save(Path(folder, name))

    if word:
        draw(prompt, "base.png")
    pipe.load_lora_weights(lora, adapter_name="lora")
    pipe.set_adapters(["lora"], [float(weight)])
    draw(prompt, "lora.png")
    if word:
        draw(f"{word}, {prompt}", "words.png")


if __name__ == "__main__":
    main()
