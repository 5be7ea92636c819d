"""The real renderer in its own process, on the shipped checkpoint and LoRAs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter, ImageStat

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, Render, RenderKind, RenderOutcome, TriggerGroup, TriggerWord, WordSource
from hubsync.errors import Cancelled, HubsyncError, OutOfMemory, RendererMissing, WrongFamily
from hubsync.events import Advanced, Event, Noted
from hubsync.families import load_families
from hubsync.render.plan import RenderOptions, make_plan
from hubsync.render.process import run
from hubsync.render.resident import Renderer

pytest.importorskip("torch")
pytest.importorskip("diffusers")

DATA = Path(__file__).parents[2] / "hubsync" / "sandbox" / "data"
COMMAND = (sys.executable, "-m", "hubsync.renderer")
OFFLINE = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
PROMPT = "a large red circle on a blue background"


def shipped(name: str, *words: str, **fields: Any) -> Installed:
    """A LoRA or embedding of the sandbox."""
    texts = tuple(TriggerWord(text=word, source=WordSource.CIVITAI) for word in words)
    groups = (TriggerGroup(index=1, words=texts, enabled=True),) if words else ()
    folder = "embeddings" if fields.get("type") is LoraType.EMBEDDING else "loras"
    path = fields.pop("path", DATA / folder / f"{name}.safetensors")
    return Installed(name=name, path=path, title=name, groups=groups, weight=1.0, **{"family": "sd1", **fields})


SKS = shipped("sks_frame", "sks")
WEIGHTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
EVERYTHING = (
    SKS,
    shipped("pytorch_lora_weights", "ohwx"),
    shipped("add_saturation"),
    shipped("add_brightness"),
    shipped("add_detail"),
    shipped("blue_ring", type=LoraType.EMBEDDING),
)


def render(
    loras: Sequence[Installed],
    out: Path,
    *,
    command: Sequence[str] = COMMAND,
    renderer: Renderer | None = None,
    sink: Callable[[Event], object] = id,
    cancel: threading.Event | None = None,
    **options: Any,
) -> RenderOutcome:
    """Render as the service does, offline, eight steps at guidance 3; a renderer of its own unless one is given."""
    chosen = {"prompt": PROMPT, "steps": 8, "cfg": 3.0, "sampler": "", "device": "cpu", "out": out, **options}
    plan = make_plan(
        [(lora, None) for lora in loras],
        RenderOptions(**chosen),
        settings=Settings(checkpoint={"sd1": str(DATA / "checkpoint")}),
        families=load_families(),
        library={lora.name: lora for lora in loras}.__getitem__,
    )
    with nullcontext(renderer) if renderer else Renderer(command, environment=OFFLINE) as asked:
        return run(plan, renderer=asked, sink=sink, cancel=cancel or threading.Event())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RenderOutcome:
    """Each kind of LoRA file and an embedding, rendered in one batch."""
    return render(EVERYTHING, tmp_path_factory.mktemp("everything"), weights=WEIGHTS)


def of(outcome: RenderOutcome, name: str, kind: RenderKind) -> list[Render]:
    """The renders of one LoRA and kind, by weight."""
    found = [one for one in outcome.renders if one.kind is kind and one.loras[0].name == name]
    return sorted(found, key=lambda one: one.loras[0].weight)


def mean(path: Path, mode: str = "RGB", band: int = 0) -> float:
    """Mean of one band of a picture, 0..255."""
    with Image.open(path) as picture:
        return float(ImageStat.Stat(picture.convert(mode)).mean[band])


@pytest.mark.parametrize("name", ["sks_frame", "pytorch_lora_weights"])
def test_a_trigger_word_makes_the_difference(everything: RenderOutcome, name: str) -> None:
    """Of kohya's layout and of diffusers': the LoRA alone does little, its word fires it."""
    quiet, fired = (of(everything, name, kind)[-1] for kind in (RenderKind.LORA, RenderKind.TRIGGERED))
    assert quiet.effect is not None
    assert fired.trigger_effect is not None
    assert fired.trigger_effect > 3 * quiet.effect
    assert fired.trigger_effect > 0.1


def saturation(path: Path) -> float:
    """Mean of HSV's S, 0..255."""
    return mean(path, "HSV", 1)


def brightness(path: Path) -> float:
    """Mean luminance, 0..255."""
    return mean(path, "L")


def detail(path: Path) -> float:
    """Mean strength of edges, 0..255."""
    with Image.open(path) as picture:
        return float(ImageStat.Stat(picture.convert("L").filter(ImageFilter.FIND_EDGES)).mean[0])


@pytest.mark.parametrize(
    ("name", "measured"), [("add_saturation", saturation), ("add_brightness", brightness), ("add_detail", detail)]
)
def test_a_slider_moves_its_property_with_its_weight(
    everything: RenderOutcome, name: str, measured: Callable[[Path], float]
) -> None:
    """Five weights, five values in order; weight 0 is the base bit for bit."""
    renders = of(everything, name, RenderKind.LORA)
    values = [measured(one.path) for one in renders]
    assert [one.loras[0].weight for one in renders] == sorted(WEIGHTS)
    assert values == sorted(set(values))
    assert renders[2].effect == 0.0


def test_an_embedding_is_drawn_by_its_name(everything: RenderOutcome) -> None:
    """It changes the picture, and there is none without its name."""
    drawn = of(everything, "blue_ring", RenderKind.TRIGGERED)[-1]
    assert of(everything, "blue_ring", RenderKind.LORA) == []
    assert drawn.effect is not None
    assert drawn.effect > 0.05


def test_the_outcome_says_how_it_was_drawn(everything: RenderOutcome) -> None:
    """On the CPU in fp32, in the checkpoint's own size, with a sheet of LoRAs down and weights across."""
    assert (everything.device, everything.dtype) == ("cpu", "float32")
    assert {one.size for one in everything.renders} == {(64, 64)}
    assert everything.sheet is not None
    with Image.open(everything.sheet) as sheet:
        assert sheet.height > 256 * len(EVERYTHING)
        assert sheet.width > 256 * len(WEIGHTS)


def test_a_second_render_finds_the_checkpoint_loaded(tmp_path: Path) -> None:
    """In one session one process draws both, each as if it were alone; a failure between them changes nothing."""
    loading: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Noted):
            loading.append(event.message)

    with Renderer(COMMAND, environment=OFFLINE) as renderer:
        first = render([SKS], tmp_path / "first", renderer=renderer, sink=hear)
        with pytest.raises(HubsyncError):
            render([shipped("gone", path=tmp_path / "gone.safetensors")], tmp_path, renderer=renderer, sink=hear)
        second = render([SKS], tmp_path / "second", renderer=renderer, sink=hear)
    assert [message for message in loading if message.startswith("loading")] == ["loading checkpoint"]
    for one, other in zip(first.renders, second.renders, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()


def test_a_killed_renderer_is_an_error_and_the_next_one_draws(tmp_path: Path) -> None:
    """As when the machine runs out of memory half-way."""
    with Renderer(COMMAND, environment=OFFLINE) as renderer:

        def kill(event: Event) -> None:
            if isinstance(event, Advanced) and renderer._child is not None:
                os.kill(renderer._child._process.pid, signal.SIGKILL)

        with pytest.raises(OutOfMemory, match="was killed"):
            render([SKS], tmp_path / "killed", steps=500, renderer=renderer, sink=kill)
        assert not (tmp_path / "killed").exists()
        assert len(render([SKS], tmp_path, renderer=renderer).renders) == 3


def test_row_by_row_is_the_same(everything: RenderOutcome, tmp_path: Path) -> None:
    """`--no-batch` on one thread or many gives the pictures of the batch, up to a level of rounding."""
    apart = render(EVERYTHING, tmp_path, weights=WEIGHTS, batch=False)
    for one, other in zip(everything.renders, apart.renders, strict=True):
        assert one.effect == pytest.approx(other.effect, abs=1e-4)
        assert mean(one.path) == pytest.approx(mean(other.path), abs=0.01)


def test_a_single_file_in_another_size_and_sampler(tmp_path: Path) -> None:
    """Offline, described by the folder beside it; the infotext says what was used, notes what was left out."""
    from safetensors.torch import load_file, save_file

    old, new = "lora_te_text_model_encoder_layers_1", "lora_te_text_model_encoder_layers_9"
    path = tmp_path / "x.safetensors"
    save_file({key.replace(old, new): tensor for key, tensor in load_file(SKS.path).items()}, path)
    events: list[Event] = []
    single = str(DATA / "shapes.safetensors")
    options: dict[str, Any] = {"checkpoint": single, "size": (96, 64), "sampler": "Euler a", "steps": 3}
    outcome = render([shipped("x", "sks", path=path)], tmp_path / "out", sink=events.append, **options)
    with Image.open(outcome.renders[0].path) as picture:
        assert picture.size == (96, 64)
        assert "Sampler: Euler a, CFG scale: 3, Seed: 1, Size: 96x64, Model: shapes" in picture.info["parameters"]
    loading, note = (event.message for event in events if isinstance(event, Noted))
    assert loading == "loading shapes.safetensors"
    assert note.startswith("'x': 6 of 96 modules have no place in this checkpoint")


def test_a_lora_of_another_model_is_an_error_not_the_base_picture(tmp_path: Path, shared_data: Path) -> None:
    """A real SD 2.1 file whose family nobody told: some names fit, their shapes do not. Nothing stays behind."""
    stranger = shipped("stranger", path=shared_data / "real_lora_sd21.safetensors", family=None)
    with pytest.raises(WrongFamily, match="'stranger'"):
        render([stranger], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("library", ["torch", "diffusers"])
def test_a_missing_library_is_named(tmp_path: Path, library: str) -> None:
    """The user is told what to install."""
    script = (
        f"import sys; sys.modules['{library}'] = None; from hubsync.renderer.__main__ import main; sys.exit(main())"
    )
    with pytest.raises(RendererMissing, match=library) as caught:
        render([SKS], tmp_path, command=(sys.executable, "-c", script))
    assert "pip install 'hubsync[render]'" in caught.value.hint


def test_a_bug_in_the_renderer_is_an_error_with_its_name(tmp_path: Path) -> None:
    """Whatever a library raises ends as one line."""
    script = (
        "from hubsync.renderer import session, __main__\n"
        "session.load_pipeline = lambda *_: 1 / 0\n"
        "raise SystemExit(__main__.main())"
    )
    with pytest.raises(HubsyncError, match="ZeroDivisionError: division by zero"):
        render([SKS], tmp_path, command=(sys.executable, "-c", script))


def test_cancel_ends_a_render_at_once(tmp_path: Path) -> None:
    """A million steps are not waited for."""
    cancel = threading.Event()

    def stop(event: Event) -> None:
        if isinstance(event, Advanced):
            cancel.set()

    with pytest.raises(Cancelled):
        render([SKS], tmp_path / "out", steps=1_000_000, sink=stop, cancel=cancel)
    assert not (tmp_path / "out").exists()
