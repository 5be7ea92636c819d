"""What `/enums` lists: the names a client may meet, as of the autumn of 2026 and never complete."""

from __future__ import annotations

from hubsync.sandbox.hub.civitai.queries import TYPES

BASE_MODELS = [
    *("SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper", "SD 2.0", "SD 2.1", "SD 3", "SD 3.5", "SD 3.5 Large"),
    *("SD 3.5 Medium", "SDXL 0.9", "SDXL 1.0", "SDXL Lightning", "SDXL Hyper", "SDXL Turbo", "Pony", "Pony V7"),
    *("Illustrious", "NoobAI", "Flux.1 S", "Flux.1 D", "Flux.1 Krea", "Flux.1 Kontext", "Flux.2 D"),
    *("Flux.2 Klein 9B", "Flux.2 Klein 4B", "Krea 2", "ZImageTurbo", "ZImageBase", "Qwen", "Qwen 2", "Anima"),
    *("AuraFlow", "Chroma", "HiDream", "Hunyuan 1", "Hunyuan Video", "Kolors", "LTXV", "LTXV2", "Lumina", "Mochi"),
    *("PixArt a", "PixArt E", "Stable Cascade", "SVD", "CogVideoX", "Wan Video 1.3B t2v", "Wan Video 14B t2v"),
    *("Wan Video 14B i2v 480p", "Wan Video 14B i2v 720p", "Wan Video 2.2 T2V-A14B", "Wan Video 2.2 I2V-A14B"),
    *("Quasar 2", "Upscaler", "Other"),
]
FILE_TYPES = [
    *("Model", "Text Encoder", "Vision Encoder", "Pruned Model", "Negative", "Training Data", "VAE", "Config"),
    *("Archive", "UNet", "Diffusion Model", "CLIPVision", "ControlNet", "Workflow", "Upscaler", "Other"),
]
ENUMS = {
    "ModelType": TYPES,
    "ModelFileType": FILE_TYPES,
    "ActiveBaseModel": [name for name in BASE_MODELS if name not in {"SD 3", "SD 3.5", "SVD"}],
    "BaseModel": BASE_MODELS,
    "BaseModelType": ["Standard", "Inpainting", "Refiner", "Pix2Pix"],
}
