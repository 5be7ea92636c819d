"""`render` as it is typed: what stdout and stderr say, and the exit codes of a batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubsync.cli.render import render_command
from tests.unit.render_bench import PAINTER, Bench, write_lora

KEYS = {
    "path", "kind", "loras", "trigger_words", "prompt", "negative_prompt", "seed", "steps", "cfg", "size", "sampler",
    "checkpoint", "family", "effect", "trigger_effect", "created_at",
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A library of a LoRA with a word, one without, and one that fits nothing."""
    bench = Bench(tmp_path)
    write_lora(bench.loras / "worded.safetensors", **{"modelspec.trigger_phrase": "ohwx"})
    write_lora(bench.loras / "plain.safetensors")
    write_lora(bench.loras / "odd.safetensors")
    bench.open().close()
    painter = tmp_path / "painter"
    painter.write_text(f"#!{sys.executable}\n{PAINTER}")
    painter.chmod(0o700)
    bench.environ["HUBSYNC_RENDER__PYTHON"] = str(painter)
    return bench


def run(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One `hubsync render`."""
    command = [sys.executable, "-m", "hubsync", "render", "--prompt", "a cat", *arguments]
    environ = {**os.environ, **bench.environ}
    return subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=120, check=False)


def test_the_verdict_stands_below_the_pictures(bench: Bench) -> None:
    """A line for each LoRA and weight but 0."""
    done = run(bench, "worded", "plain", "--weights", "0,1")
    assert done.returncode == 0
    pictures, verdicts, sheet = done.stdout.strip().split("\n\n")
    assert len(pictures.splitlines()) == 1 + 1 + 4 + 2
    assert [" ".join(line.split()) for line in verdicts.splitlines()] == [
        "LORA WEIGHT VERDICT",
        "worded 1 works without its words (effect 0.196 without words, 0.588 with)",
        "plain 1 works (effect 0.196)",
    ]
    assert sheet.startswith("contact sheet: ")


def test_several_are_drawn_together(bench: Bench) -> None:
    """One subject with a verdict of its own; numbers of several seeds say that they are means."""
    done = run(bench, "worded:0.5", "plain", "--together", "--seeds", "1,2")
    assert done.returncode == 0
    pictures, verdicts, _ = done.stdout.strip().split("\n\n")
    assert len(pictures.splitlines()) == 1 + 2 * 3
    (verdict,) = verdicts.splitlines()[1:]
    assert " ".join(verdict.split()).startswith("worded 0.5 + plain 0.8 1 works; ")
    assert verdict.endswith(", mean of 2 seeds)")
    refused = run(bench, "--all", "--together")
    assert (refused.returncode, "a whole library is not tested together" in refused.stderr) == (2, True)


def test_json_keeps_to_the_contract(bench: Bench) -> None:
    """stdout holds its keys and nothing more; the verdict is narration, which --quiet leaves out."""
    done = run(bench, "worded", "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    assert set(answer) == {"renders", "sheet", "device", "dtype", "load_seconds", "seconds"}
    assert [set(render) for render in answer["renders"]] == [KEYS] * 3
    assert "worded at 0.8: works; needs its words (effect 0.157 without words, 0.549 with)" in done.stderr
    assert "works" not in run(bench, "worded", "--json", "--quiet").stderr


def test_a_batch_exits_with_what_failed_in_it(bench: Bench) -> None:
    """The others are drawn; the culprit is named with its reason, and its code is the exit's."""
    done = run(bench, "--all", "--json")
    assert done.returncode == 7
    assert {use["name"] for render in json.loads(done.stdout)["renders"] for use in render["loras"]} == {
        "plain",
        "worded",
    }
    assert "odd:\nerror: 'odd' fits nothing here\n" in done.stderr


def test_a_single_lora_that_is_refused_is_an_error(bench: Bench) -> None:
    """As any failing command: nothing is drawn, stdout holds the error."""
    done = run(bench, "odd", "--json", "--out", str(bench.root / "out"))
    assert done.returncode == 7
    assert json.loads(done.stdout)["error"]["code"] == "wrong_family"
    assert not (bench.root / "out").exists()


def test_nothing_to_render_is_wrong_use(bench: Bench) -> None:
    """Without names and without --all."""
    done = run(bench)
    assert (done.returncode, "hint: name a LoRA, or use --all" in done.stderr) == (2, True)


def test_the_help_tells_how_groups_are_asked_for() -> None:
    """By number, several, all."""
    assert render_command.help is not None
    assert all(form in render_command.help for form in ("NAME:0.8:2", "NAME:0.8:1+3", "NAME:0.8:all"))


def test_words_are_tried_out_from_the_command_line(bench: Bench) -> None:
    """What the LoRA reacts to is told at once and stays a suggestion."""
    command = [sys.executable, "-m", "hubsync", "triggers", "plain", "probe", "ohwx", "red"]
    done = subprocess.run(command, env={**os.environ, **bench.environ}, capture_output=True, text=True, check=True)
    assert "plain reacts to: ohwx 90%" in done.stderr
    assert "  ohwx  90%  [render]" in done.stdout
    told = subprocess.run(
        [sys.executable, "-m", "hubsync", "--json", "triggers", "plain"],
        env={**os.environ, **bench.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout)["suggestions"] == [{"text": "ohwx", "score": 0.9, "source": "render"}]
