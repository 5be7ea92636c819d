"""The shipped weights keep the figures they were trained for, measured again on fewer prompts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

DATA = Path(__file__).parents[2] / "hubsync" / "sandbox" / "data"


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Any]:
    """The shipped checkpoint on one thread, loaded once."""
    from hubsync.sandbox.train.models import load_pipeline
    from hubsync.sandbox.train.package import Package

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_pipeline(Package(DATA).checkpoint)
    torch.set_num_threads(threads)


def missed(figures: list[Any]) -> list[Any]:
    """The figures under their bar."""
    return [figure for figure in figures if not figure.reached]


def test_prompts_never_seen_in_training_draw_what_they_say(pipeline: Any) -> None:
    """Foreground, background and shape are each right for 95 % of 64 held-out prompts at 8 steps."""
    from hubsync.sandbox.train.figures import base_figures

    figures = base_figures(pipeline)
    assert [figure.name for figure in figures if figure.reached] == [
        "foreground right, 8 steps",
        "background right, 8 steps",
        "shape right, 8 steps",
    ]


@pytest.mark.parametrize("stem", ["add_detail", "add_saturation", "add_brightness"])
def test_a_slider_moves_its_property_steadily_and_weight_zero_changes_nothing(pipeline: Any, stem: str) -> None:
    """Five weights give five rising values on each of 8 seeds, and weight 0 is the base bit for bit."""
    from hubsync.sandbox.train.figures import slider_figures
    from hubsync.sandbox.train.package import Package
    from hubsync.sandbox.train.recipes import SLIDERS

    recipe = next(recipe for recipe in SLIDERS if recipe.stem == stem)
    assert recipe.property is not None
    figures = slider_figures(pipeline, Package(DATA).lora(recipe), recipe.property, seeds=8)
    assert len(figures) == 4
    assert missed(figures) == []


@pytest.mark.parametrize("stem", ["sks_frame", "mona_outfits", "pytorch_lora_weights"])
def test_trigger_words_alone_switch_their_effect_on(pipeline: Any, stem: str) -> None:
    """At start or end of 8 prompts the words fire, other words do not, and no group gives another's effect."""
    from hubsync.sandbox.train.figures import trigger_figures
    from hubsync.sandbox.train.package import Package
    from hubsync.sandbox.train.recipes import TRIGGERED

    recipe = next(recipe for recipe in TRIGGERED if recipe.stem == stem)
    path, strangers = Package(DATA).lora(recipe), ("qzv7", "masterpiece")
    figures = trigger_figures(pipeline, path, recipe.groups, prompts=8, strangers=strangers)
    assert len(figures) == len(recipe.groups) * (4 + len(recipe.groups))
    assert missed(figures) == []


def test_the_embedding_draws_its_picture(pipeline: Any) -> None:
    """The new word draws a blue ring on at least 90 % of 16 seeds, alone and on a named ground."""
    from hubsync.sandbox.train.figures import embedding_figures
    from hubsync.sandbox.train.package import Package
    from hubsync.sandbox.train.recipes import BLUE_RING

    figures = embedding_figures(pipeline, Package(DATA).embedding, BLUE_RING, seeds=16)
    assert len(figures) == 2
    assert missed(figures) == []


def test_both_forms_of_the_checkpoint_agree_and_every_lora_loads_whole() -> None:
    """The single file renders what the folder renders, and each LoRA reaches every module it names."""
    from hubsync.sandbox.train.file_figures import file_figures
    from hubsync.sandbox.train.package import Package

    figures = file_figures(Package(DATA))
    assert len(figures) == 8
    assert missed(figures) == []


def test_the_known_words_are_single_tokens_and_all_else_falls_back_to_bytes(pipeline: Any) -> None:
    """Vocabulary and trigger words take one token each; any other text still has tokens."""
    from hubsync.sandbox.train.captions import TRIGGER_WORDS, known_words

    tokenizer = pipeline.tokenizer
    assert {word: len(tokenizer.tokenize(word)) for word in known_words()} == dict.fromkeys(known_words(), 1)
    assert set(TRIGGER_WORDS) <= set(known_words())
    text = tokenizer.decode(tokenizer("größe 絵").input_ids, skip_special_tokens=True)
    assert text.replace("</w>", " ").strip() == "größe 絵"


def test_kohya_files_tell_the_truth_about_themselves() -> None:
    """Hash, rank, alpha and the tag that every triggered caption held agree with the tensors and the recipe."""
    from safetensors.torch import load_file

    from hubsync.sandbox.train.file_figures import metadata_of
    from hubsync.sandbox.train.loras import folder_of
    from hubsync.sandbox.train.package import Package
    from hubsync.sandbox.train.recipes import SLIDERS, TRIGGERED, Layout

    recipes = [recipe for recipe in (*SLIDERS, *TRIGGERED) if recipe.layout is Layout.KOHYA]
    for recipe in recipes:
        path = Package(DATA).lora(recipe)
        raw, metadata, tensors = path.read_bytes(), metadata_of(path), load_file(path)
        data = raw[8 + int.from_bytes(raw[:8], "little") :]
        assert metadata["sshs_model_hash"] == hashlib.sha256(data).hexdigest()
        ranks = {len(value) for key, value in tensors.items() if key.endswith("lora_down.weight")}
        assert ranks == {int(metadata["ss_network_dim"])} == {recipe.rank}
        alphas = {value.item() for key, value in tensors.items() if key.endswith(".alpha")}
        assert alphas == {float(metadata["ss_network_alpha"])} == {recipe.alpha}
        tags = json.loads(metadata["ss_tag_frequency"])
        seen = sum(tags[folder_of(group)][group.words.split(", ")[0]] for group in recipe.groups)
        assert seen == (int(metadata["ss_num_train_images"]) if recipe.groups else 0)


def test_writing_a_file_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """A shipped file read and written again is byte for byte the same."""
    from safetensors.torch import load_file

    from hubsync.sandbox.train.file_figures import metadata_of
    from hubsync.sandbox.train.safetensors_file import write_tensors

    source = DATA / "loras" / "sks_frame.safetensors"
    write_tensors(tmp_path / "again.safetensors", load_file(source), metadata_of(source))
    assert (tmp_path / "again.safetensors").read_bytes() == source.read_bytes()


def test_the_shipped_table_has_no_missed_figure() -> None:
    """The figures kept from the last training all reached their bars."""
    figures = json.loads((DATA / "figures.json").read_text(encoding="utf-8"))
    assert len(figures) > 40
    assert [figure["name"] for figure in figures if not figure["reached"]] == []
