"""Prompts become what AUTOMATIC1111 makes of them: chunks, weights, breaks, embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import save_file

from hubsync.errors import NotFound, NotSafetensors, UsageError, WrongFamily
from hubsync.render.wire import Row
from hubsync.renderer.embeddings import load_embedding
from hubsync.renderer.encoding import Conditioning, PromptEncoder
from hubsync.renderer.tokens import Tokens
from tests.unit.renderer.conftest import PROMPT, Pipeline, draw, new_pipeline, row

STEPS = 4
EMBEDDING = torch.randn(3, 64, generator=torch.Generator().manual_seed(4))


@pytest.fixture
def tokens(pipe: Pipeline) -> Tokens:
    """The shipped checkpoint's tokenizer, with an embedding of three vectors called `blue_ring`."""
    return Tokens(pipe.tokenizer, {"blue_ring": EMBEDDING, "blue": EMBEDDING[:1]})


def ids(pipe: Pipeline, text: str) -> list[int]:
    """A text's tokens without start and end."""
    return list(pipe.tokenizer(text, add_special_tokens=False).input_ids)


def encoded(pipe: Pipeline, prompt: str, negative: str = "") -> tuple[torch.Tensor, torch.Tensor]:
    """What the renderer gives the UNet for one row."""
    given = conditioned(pipe, prompt, negative).given(STEPS)
    return given["prompt_embeds"], given["negative_prompt_embeds"]


def conditioned(
    pipe: Pipeline, prompt: str, negative: str = "", embeddings: Mapping[str, Sequence[torch.Tensor]] | None = None
) -> Conditioning:
    """A row's conditioning through four steps."""
    with torch.no_grad():
        encoder = PromptEncoder(pipe, embeddings or {}, torch.device("cpu"))
        return encoder.encode([Row(prompt=prompt, negative=negative, seed=1)], {}, STEPS)


def by_diffusers(pipe: Pipeline, prompt: str) -> torch.Tensor:
    """The pipeline's own encoding."""
    with torch.no_grad():
        states: torch.Tensor = pipe.encode_prompt(prompt, "cpu", 1, do_classifier_free_guidance=False)[0]
    return states


def test_a_plain_prompt_is_encoded_as_diffusers_encodes_it(pipe: Pipeline) -> None:
    """Bit for bit, positive and negative."""
    prompt, negative = encoded(pipe, PROMPT, "a green square")
    assert bool((prompt == by_diffusers(pipe, PROMPT)).all())
    assert bool((negative == by_diffusers(pipe, "a green square")).all())


def test_a_weight_multiplies_its_tokens_and_keeps_the_mean(pipe: Pipeline) -> None:
    """The vectors of the weighted words are scaled, then all are, so that the mean stays."""
    plain = by_diffusers(pipe, PROMPT)
    scale = torch.ones(77)
    at = 1 + len(ids(pipe, "a large"))
    scale[at : at + len(ids(pipe, "red circle"))] = 1.5
    expected = plain * scale[None, :, None]
    expected *= plain.mean() / expected.mean()
    ours = encoded(pipe, "a large (red circle:1.5) on a blue background")[0]
    assert torch.allclose(ours, expected, atol=1e-5)
    assert not torch.allclose(ours, plain, atol=1e-2)


def test_break_starts_a_chunk(pipe: Pipeline) -> None:
    """Both sides are encoded apart and laid one after the other; the negative prompt is filled up with an empty one."""
    prompt, negative = encoded(pipe, "a red circle BREAK a blue background", "a green square")
    halves = [by_diffusers(pipe, text) for text in ("a red circle", "a blue background", "a green square", "")]
    assert torch.equal(prompt, torch.cat(halves[:2], dim=1))
    assert torch.equal(negative, torch.cat(halves[2:], dim=1))


def test_a_long_prompt_is_cut_every_75_tokens(tokens: Tokens, pipe: Pipeline) -> None:
    """Nothing is thrown away; start, end and padding frame each chunk to 77."""
    chunks = tokens.chunks("red " * 100)
    red = ids(pipe, "red")
    assert [len(chunk.ids) for chunk in chunks] == [75, 25]
    framed, weights = tokens.framed(chunks[1])
    tokenizer = pipe.tokenizer
    padding = [tokenizer.pad_token_id] * 50
    assert framed == [tokenizer.bos_token_id, *red * 25, tokenizer.eos_token_id, *padding]
    assert weights == [1.0] * 77


@pytest.mark.parametrize(("after", "lengths"), [(10, [65, 40]), (30, [75, 30])])
def test_a_chunk_is_cut_at_a_comma_that_is_near(tokens: Tokens, after: int, lengths: list[int]) -> None:
    """Within 20 tokens the words behind the comma move to the next chunk together; farther back they stay."""
    prompt = "red " * (74 - after) + ", " + "blue background " * 0 + "green " * (105 - 75 + after)
    assert [len(chunk.ids) for chunk in tokens.chunks(prompt)] == lengths


def test_an_empty_prompt_is_one_empty_chunk(tokens: Tokens) -> None:
    """And a BREAK at the end adds none."""
    assert [chunk.ids for chunk in tokens.chunks("")] == [[]]
    assert len(tokens.chunks("red BREAK")) == 1
    assert len(tokens.chunks("red BREAK BREAK blue")) == 3


def test_an_embedding_is_found_by_its_name(tokens: Tokens, pipe: Pipeline) -> None:
    """The longest name wins, in any case, with its weight; its vectors take as many places as they are."""
    (chunk,) = tokens.chunks("a (Blue_Ring:1.2) on blue")
    assert chunk.weights == [1.0, 1.2, 1.2, 1.2, 1.0, 1.0]
    assert {at: len(vectors) for at, vectors in chunk.vectors.items()} == {1: 3, 5: 1}
    assert chunk.ids[0] == ids(pipe, "a")[0]


def test_an_embedding_is_never_cut_in_two(tokens: Tokens) -> None:
    """Where its vectors do not fit, a new chunk begins."""
    chunks = tokens.chunks("red " * 73 + "blue_ring")
    assert [len(chunk.ids) for chunk in chunks] == [73, 3]
    assert list(chunks[1].vectors) == [0]


def test_an_embedding_draws_what_diffusers_draws(tmp_path: Path, pipe: Pipeline) -> None:
    """The same vectors through diffusers' own loader give the same conditioning."""
    path = tmp_path / "blue_ring.safetensors"
    save_file({"emb_params": EMBEDDING}, path)
    vectors = load_embedding("blue_ring", path, (64,))
    other = new_pipeline()
    other.load_textual_inversion({"blue_ring": EMBEDDING}, token="blue_ring")
    text = "a blue_ring on red"
    ours = conditioned(pipe, text, embeddings={"blue_ring": vectors}).given(STEPS)["prompt_embeds"]
    without = conditioned(pipe, text).given(STEPS)["prompt_embeds"]
    assert torch.allclose(ours, by_diffusers(other, "a blue_ring on red"), atol=1e-6)
    assert not torch.allclose(ours, without, atol=1e-2)


@pytest.mark.parametrize(
    ("tensors", "widths", "shapes"),
    [
        ({"emb_params": torch.ones(2, 768)}, (768,), [(2, 768)]),
        ({"<word>": torch.ones(768)}, (768,), [(1, 768)]),
        ({"clip_g": torch.ones(2, 1280), "clip_l": torch.ones(2, 768)}, (768, 1280), [(2, 768), (2, 1280)]),
    ],
)
def test_every_layout_of_embeddings_is_read(
    tmp_path: Path, tensors: dict[str, torch.Tensor], widths: tuple[int, ...], shapes: list[tuple[int, int]]
) -> None:
    """AUTOMATIC1111's, diffusers' and SDXL's two encoders, in the encoders' order."""
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    assert [tuple(vectors.shape) for vectors in load_embedding("x", path, widths)] == shapes


def test_an_embedding_for_another_checkpoint_is_refused(tmp_path: Path) -> None:
    """Another width, another number of encoders, no embedding at all, no file."""
    path = tmp_path / "x.safetensors"
    save_file({"emb_params": torch.ones(2, 768)}, path)
    with pytest.raises(WrongFamily, match="holds 768 numbers a token, this checkpoint takes 64"):
        load_embedding("x", path, (64,))
    with pytest.raises(WrongFamily, match="takes 768 and 1280"):
        load_embedding("x", path, (768, 1280))
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(NotSafetensors):
        load_embedding("x", path, (64,))
    with pytest.raises(NotFound):
        load_embedding("x", tmp_path / "gone", (64,))


def test_prompts_of_different_length_do_not_change_each_other(pipe: Pipeline) -> None:
    """Short, long and broken prompts in one request are drawn as each alone."""
    rows = [row(), row("red " * 80), row("a red circle BREAK on blue"), row(seed=2), row("a (green:1.4) square")]
    together = draw(pipe, rows, {})
    assert (together - draw(pipe, rows, {}, batch=1)).abs().max() <= 1e-5


def test_a_prompt_changes_in_the_step_that_automatic1111_changes_it(pipe: Pipeline) -> None:
    """Its count of steps begins at 0, its ends at 1: the half of four steps is over after the third."""
    conditioning = conditioned(pipe, "[a red circle:a blue square:0.5]")
    first, second = by_diffusers(pipe, "a red circle"), by_diffusers(pipe, "a blue square")
    shown = [conditioning.given(conditioning.stage(step))["prompt_embeds"] for step in range(STEPS)]
    assert [torch.equal(states, first) for states in shown] == [True, True, True, False]
    assert torch.equal(shown[3], second)


@pytest.mark.parametrize("cfg", [3.0, 1.0])
def test_a_changing_prompt_draws_what_changing_it_by_hand_draws(pipe: Pipeline, cfg: float) -> None:
    """In one batch with rows that stay as they are, with guidance and without."""
    prompts = {text: by_diffusers(pipe, text) for text in ("a red circle", "a blue square", "a green circle", "")}

    def change(_pipe: Any, at: int, _time: object, state: dict[str, Any]) -> dict[str, Any]:
        if at != 2:
            return state
        later = prompts["a blue square"]
        return {**state, "prompt_embeds": torch.cat([prompts[""], later]) if cfg > 1 else later}

    expected = pipe(
        prompt_embeds=prompts["a red circle"],
        negative_prompt_embeds=prompts[""],
        generator=torch.Generator().manual_seed(1),
        num_inference_steps=STEPS,
        guidance_scale=cfg,
        output_type="pt",
        callback_on_step_end=change,
    ).images[0]
    rows = [row("a green circle"), row("[a red circle:a blue square:2]"), row("a red circle")]
    _, ours, unchanged = draw(pipe, rows, {}, cfg=cfg)
    assert (ours - expected).abs().max() <= 1e-5
    assert (ours - unchanged).abs().mean() > 1e-4


def test_alternating_words_take_turns(pipe: Pipeline) -> None:
    """`[a|b]`: each step but the first two has the other one, the negative prompt too."""
    conditioning = conditioned(pipe, "a red circle", "a [green|blue] square")
    green, blue = by_diffusers(pipe, "a green square"), by_diffusers(pipe, "a blue square")
    shown = [conditioning.given(conditioning.stage(step))["negative_prompt_embeds"] for step in range(STEPS)]
    assert [torch.equal(states, green) for states in shown] == [True, True, False, True]
    assert torch.equal(shown[2], blue)


def test_a_text_is_encoded_once(pipe: Pipeline) -> None:
    """Rows that share prompts share their encoding: three texts here, the empty one among them."""
    encoder = PromptEncoder(pipe, {}, torch.device("cpu"))
    asked: list[int] = []
    handle = pipe.text_encoder.register_forward_hook(lambda _module, inputs, _output: asked.append(len(inputs[0])))
    with torch.no_grad():
        for rows in ([row(seed=1), row(seed=2)], [row("a red circle", seed=3)], [row(seed=4)]):
            encoder.encode(rows, {}, STEPS)
    handle.remove()
    assert asked == [2, 1]


def test_a_weight_that_is_no_number_is_an_error(pipe: Pipeline) -> None:
    """As in AUTOMATIC1111, which stops there as well."""
    with pytest.raises(UsageError, match=r"1\.2\.3"):
        draw(pipe, [row("a (red:1.2.3) circle")], {})
