"""The files of a Civitai version: which one to install, and what each is."""

from __future__ import annotations

from typing import Any

import pytest

from hubsync.domain import LoraFile, Scan
from hubsync.hubs.civitai.files import files_of
from hubsync.hubs.civitai.shapes import Model, Version
from hubsync.refs import CivitaiRef

SHA = "AB" * 32


def _file(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"f{number}.safetensors", "type": "Model", "sizeKB": 1.5, **more}


def _files(*files: dict[str, Any], type: str = "LORA") -> tuple[LoraFile, ...]:  # noqa: A002 - as the API calls it
    return files_of(Model(id=1, type=type), Version(id=2, files=list(files)))


def test_the_file_to_install_is_first_and_marked() -> None:
    """A model file before training data, safetensors before a pickle, then the hub's own choice."""
    files = _files(
        _file(1, name="data.zip", type="Training Data", primary=True),
        _file(2, name="old.ckpt", primary=True),
        _file(3, name="half.safetensors", type="Pruned Model"),
        _file(4, name="full.safetensors", primary=True),
        _file(5, name="some.vae.safetensors", type="VAE"),
        _file(6, name="workflow.json", type="Config"),
    )
    assert [(file.ref.file, file.primary) for file in files if isinstance(file.ref, CivitaiRef)][:3] == [
        (4, True),
        (3, False),
        (2, False),
    ]
    assert [file.primary for file in files].count(True) == 1
    assert {file.name: file.kind for file in files} == {
        "data.zip": "training_data",
        "old.ckpt": "model",
        "half.safetensors": "model",
        "full.safetensors": "model",
        "some.vae.safetensors": "other",
        "workflow.json": "config",
    }


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ({"name": "a.SAFETENSORS"}, "safetensors"),
        ({"name": "a.pt"}, "pickle"),
        ({"name": "a.safetensors", "metadata": {"format": "PickleTensor"}}, "safetensors"),
        ({"name": "a", "metadata": {"format": "PickleTensor"}}, "pickle"),
        ({"name": "a", "metadata": {"format": "SafeTensor"}}, "safetensors"),
        ({"name": "a.zip"}, "archive"),
        ({"name": "a.gguf", "metadata": {"format": "GGUF"}}, "other"),
        ({"name": "a", "metadata": None}, "other"),
    ],
)
def test_formats(file: dict[str, Any], form: str) -> None:
    """The extension decides, the hub's word where there is none."""
    assert _files(_file(1, **file))[0].format == form


@pytest.mark.parametrize(
    ("pickle", "virus", "scan"),
    [
        ("Success", "Success", Scan.OK),
        ("Success", None, Scan.OK),
        ("Danger", "Success", Scan.DANGER),
        ("Pending", "Danger", Scan.DANGER),
        ("Pending", "Success", Scan.PENDING),
        ("Error", "Success", Scan.UNKNOWN),
        (None, None, Scan.UNKNOWN),
        ("Something new", "Success", Scan.UNKNOWN),
    ],
)
def test_scans(pickle: str | None, virus: str | None, scan: Scan) -> None:
    """Danger from either scanner counts; a failed scan is no verdict."""
    assert _files(_file(1, pickleScanResult=pickle, virusScanResult=virus))[0].scan is scan


@pytest.mark.parametrize(
    ("hashes", "sha256", "autov3"),
    [
        ({"SHA256": SHA, "AutoV3": "34A22376739D"}, SHA.lower(), "34a22376739d"),
        ({"AutoV3": "34A22376739D" + "0" * 52}, None, "34a22376739d"),
        ({"AutoV3": "E3B0C44298FC"}, None, None),
        ({"SHA256": "short", "AutoV3": "nothex!!!!!!"}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_hashes(hashes: object, sha256: str | None, autov3: str | None) -> None:
    """Lower case, twelve digits of AutoV3, and never the hash of nothing."""
    file = _files(_file(1, hashes=hashes))[0]
    assert (file.sha256, file.autov3) == (sha256, autov3)


def test_sizes_are_near_and_not_exact() -> None:
    """The hub counts KiB; what is no size is none."""
    file = _files(_file(1, sizeKB="18829.1484375"))[0]
    assert (file.size, file.exact_size) == (19281048, False)
    assert _files(_file(1, sizeKB=None))[0].size is None


def test_an_embeddings_files_are_embeddings() -> None:
    """In a textual inversion both the model file and a negative one are."""
    files = _files(_file(1), _file(2, type="Negative", name="neg.pt"), type="TextualInversion")
    assert [(file.kind, file.primary) for file in files] == [("embedding", True), ("embedding", False)]
