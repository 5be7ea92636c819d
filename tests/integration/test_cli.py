"""The path of a newcomer in the command line, against both sandbox hubs."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from hubsync.sandbox.hub import Fault, FaultKind, SandboxHub
from hubsync.sandbox.playground import DATA, Playground
from tests.integration.conftest import CommandLine

LORAS = DATA / "loras"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_search_merges_both_hubs(hubsync: CommandLine) -> None:
    """One page holds rows of both hubs, in the contract's shape, checkpoints and language models kept out."""
    answer = hubsync("search", "--limit", "50", "--json").json
    refs = {item["ref"].split("@")[0] for item in answer["items"]}
    assert {"civitai:1004", "hf:sandbox/ohwx-lora"} <= refs
    assert refs.isdisjoint({"civitai:1007", "civitai:1006", "hf:sandbox/alpaca-lora-tiny"})
    assert answer["errors"] == []
    assert set(answer["next"]) == {"civitai", "huggingface"}


def test_search_goes_on_with_cursors(hubsync: CommandLine) -> None:
    """Following the cursors to the end shows every row once."""
    seen: list[str] = []
    cursors: list[str] = []
    while True:
        answer = hubsync("search", "--source", "civitai", "--limit", "4", "--json", *cursors).json
        seen += [item["ref"] for item in answer["items"]]
        if answer["next"]["civitai"] is None:
            break
        cursors = ["--cursor", f"civitai={answer['next']['civitai']}"]
    whole = hubsync("search", "--source", "civitai", "--limit", "100", "--json").json["items"]
    assert len(seen) == len(set(seen))
    assert set(seen) == {item["ref"] for item in whole}


def test_one_hub_down_is_a_note(hubsync: CommandLine) -> None:
    """The other hub's rows still come, with exit 0; both down is exit 5."""
    dead = {"HF_ENDPOINT": "http://127.0.0.1:9", "HUBSYNC_NETWORK__RETRIES": "0"}
    answer = hubsync("search", "frame", "--json", environ=dead)
    assert answer.exit == 0
    assert [error["source"] for error in answer.json["errors"]] == ["huggingface"]
    assert {item["source"] for item in answer.json["items"]} == {"civitai"}
    both = hubsync("search", "frame", "--json", environ={**dead, "HUBSYNC_CIVITAI_URL": "http://127.0.0.1:9"})
    assert both.exit == 5


def test_show_says_everything_first(hubsync: CommandLine) -> None:
    """Versions, files with hashes, trigger groups and previews, before a byte is downloaded."""
    shown = hubsync("show", "civitai:1005", "--json").json
    version = shown["versions"][0]
    assert version["trigger_words"] == [["mona", "day outfit"], ["mona", "night outfit"]]
    assert version["files"][0]["sha256"] == _sha256(LORAS / "mona_outfits.safetensors")
    assert version["family"] == "sd1"
    assert version["previews"]
    assert (shown["preflight"]["status"], shown["preflight"]["name"]) == ("planned", "mona_outfits")
    assert shown["preflight"]["space_left"] > 0


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("civitai:1013", "not now: v1.0 has no files any more"),
        ("civitai:1014", "switched downloads off"),
        ("civitai:1016", "is a pickle"),
        ("civitai:1011", "in early access until"),
        ("civitai:1018", "has not scanned it yet"),
        ("civitai:1018", "states no SHA-256"),
        ("civitai:1004", "as sks_frame, to "),
    ],
)
def test_show_says_what_an_install_would_come_to(hubsync: CommandLine, ref: str, said: str) -> None:
    """Whatever rules an install out, or should be known before, is on the page."""
    assert said in hubsync("show", ref).stdout


def test_the_same_lora_under_another_header_is_already_here(hubsync: CommandLine, ground: Playground) -> None:
    """Equal weights are one LoRA, whatever its header says; --force installs the other file beside it."""
    hubsync("install", "civitai:1004")
    row = ground.root / ".hubsync" / "library.db"
    with closing(sqlite3.connect(row)) as library:
        library.execute("UPDATE loras SET sha256 = 'another'")
        library.commit()
    result = hubsync("install", "civitai:1004", "--json").json["results"][0]
    assert (result["status"], result["bytes_downloaded"]) == ("already_installed", 0)
    assert "only has another header" in result["notes"][0]
    forced = hubsync("install", "civitai:1004", "--force", "--json").json["results"][0]
    assert (forced["status"], forced["name"]) == ("installed", "sks_frame-v2004")


def test_risks_are_taken_one_by_one(hubsync: CommandLine, ground: Playground) -> None:
    """A pickle that failed its scan wants two flags; it gets its own extension, and nothing of it is ever loaded."""
    pickle = hubsync("install", "civitai:1016", "--allow-pickle", "--json")
    assert (pickle.exit, pickle.json["results"][0]["error"]["code"]) == (7, "scan_failed")
    both = hubsync("install", "civitai:1016", "--allow-pickle", "--allow-failed-scan", "--json").json["results"][0]
    assert both["path"] == str(ground.root / "models" / "Lora" / "old_pickle.pt")
    assert Path(both["path"]).read_bytes().startswith(b"\x80\x04")
    listed = hubsync("info", "old_pickle", "--json").json
    assert (listed["network"], listed["sha256"]) == (None, both["sha256"])
    archive = hubsync("install", "civitai:1024", "--file", "2024_trainingData.zip", "--json")
    assert (archive.exit, archive.json["results"][0]["error"]["code"]) == (7, "unsafe_file")
    assert "--allow-archive" in archive.json["results"][0]["error"]["hint"]


def test_a_key_is_checked_before_it_is_stored(hubsync: CommandLine, ground: Playground) -> None:
    """A key nobody knows is refused and replaces none; a good one says whose it is; offline it is stored."""
    path = ground.root / ".hubsync" / "hubsync.toml"
    refused = hubsync("config", "set", "civitai.api_key", "nonsense", "--json")
    assert (refused.exit, refused.json["error"]["code"], path.exists()) == (4, "token_invalid", False)
    good = hubsync("config", "set", "civitai.api_key", SandboxHub.KEY, "--json")
    assert (good.exit, good.json["account"], path.stat().st_mode & 0o777) == (0, "sandbox", 0o600)
    token = hubsync("config", "set", "huggingface.token", SandboxHub.TOKEN)
    assert (token.exit, "belongs to" in token.stderr) == (0, True)
    dead = {"HUBSYNC_CIVITAI_URL": "http://127.0.0.1:9", "HUBSYNC_NETWORK__RETRIES": "0"}
    offline = hubsync("config", "set", "civitai.api_key", "another", environ=dead)
    assert (offline.exit, "could not be checked" in offline.stderr) == (0, True)


def test_install_gives_verified_files_rows_and_sidecars(hubsync: CommandLine, ground: Playground) -> None:
    """From both hubs: the bytes, a row each, a sidecar AUTOMATIC1111 understands, a true PNG beside it."""
    answer = hubsync("install", "hf:sandbox/ohwx-lora", "civitai:1004", "--json")
    assert answer.exit == 0, answer.stderr
    ohwx, frame = answer.json["results"]
    assert [ohwx["status"], frame["status"]] == ["installed", "installed"]
    assert [ohwx["name"], frame["name"]] == ["ohwx-lora", "sks_frame"]
    folder = ground.root / "models" / "Lora"
    assert _sha256(folder / "sks_frame.safetensors") == _sha256(LORAS / "sks_frame.safetensors") == frame["sha256"]
    assert _sha256(folder / "ohwx-lora.safetensors") == _sha256(LORAS / "pytorch_lora_weights.safetensors")
    sidecar = json.loads((folder / "sks_frame.json").read_text("utf-8"))
    assert (sidecar["activation text"], sidecar["sd version"]) == ("sks", "SD1")
    with Image.open(folder / "sks_frame.preview.png") as picture:
        assert picture.format == "PNG"
    with closing(sqlite3.connect(ground.root / ".hubsync" / "library.db")) as connection:
        rows = connection.execute("SELECT name, ref FROM loras ORDER BY name").fetchall()
    assert rows == [("ohwx-lora", ohwx["ref"]), ("sks_frame", "civitai:1004@2004#3004")]
    assert not list(folder.glob("*.part"))


def test_no_token_reaches_the_storage(hubsync: CommandLine, hub: SandboxHub) -> None:
    """Keys go to the hub's own host and nowhere else."""
    assert hubsync("install", "civitai:1012", "hf:sandbox/gated-lora", "--json").exit == 0
    assert hub.leaks == ()


def test_installing_twice_downloads_once(hubsync: CommandLine) -> None:
    """The same bytes are recognised; --force fetches them again under the same name."""
    hubsync("install", "civitai:1001")
    again = hubsync("install", "civitai:1001", "--json").json["results"][0]
    forced = hubsync("install", "civitai:1001", "--force", "--json").json["results"][0]
    assert (again["status"], again["bytes_downloaded"]) == ("already_installed", 0)
    assert (forced["status"], forced["name"]) == ("installed", "add_detail")


def test_a_file_that_lies_there_is_adopted(hubsync: CommandLine, ground: Playground) -> None:
    """A file copied by hand, or left by a process killed before it wrote the row, is taken in, not fetched again."""
    place = ground.root / "models" / "Lora" / "sks_frame.safetensors"
    place.parent.mkdir(parents=True)
    place.write_bytes((LORAS / "sks_frame.safetensors").read_bytes())
    result = hubsync("install", "civitai:1004", "--json").json["results"][0]
    assert (result["status"], result["name"], result["bytes_downloaded"]) == ("installed", "sks_frame", 0)
    assert hubsync("list", "--json").json["items"][0]["trigger_words"] == [["sks"]]


def test_a_foreign_file_of_that_name_is_left_alone(hubsync: CommandLine, ground: Playground) -> None:
    """Another file under the wanted name keeps it; the new one gets a readable suffix."""
    place = ground.root / "models" / "Lora" / "SKS_frame.safetensors"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something else")
    result = hubsync("install", "civitai:1004", "--json").json["results"][0]
    assert result["name"] == "sks_frame-v2004"
    assert place.read_bytes() == b"something else"


def test_one_file_named_twice_comes_once(hubsync: CommandLine) -> None:
    """A model and its page's address mean the same file."""
    results = hubsync("install", "civitai:1001", "https://civitai.com/models/1001/add-detail", "--json").json["results"]
    assert [result["name"] for result in results] == ["add_detail"]


def test_dry_run_moves_no_byte(hubsync: CommandLine, ground: Playground) -> None:
    """A plan says name, place and size, and writes nothing."""
    result = hubsync("install", "civitai:1002", "--dry-run", "--json").json["results"][0]
    assert (result["status"], result["name"]) == ("planned", "add_saturation")
    assert result["path"] == str(ground.root / "models" / "Lora" / "add_saturation.safetensors")
    assert hubsync("list", "--json").json == {"items": []}
    assert not ground.root.exists()


@pytest.mark.parametrize(
    ("ref", "exit_code", "code"),
    [
        ("civitai:999999", 3, "not_found"),
        ("hf:sandbox/nothing-here", 3, "not_found"),
        ("civitai:1013", 3, "archived"),
        ("civitai:1014", 4, "downloads_disabled"),
        ("civitai:1016", 7, "unsafe_file"),
        ("hf:sandbox/multi-base-sliders", 2, "ambiguous"),
        ("hf:sandbox/manual-lora", 4, "gated"),
        ("not a ref", 2, "bad_reference"),
    ],
)
def test_each_refusal_has_its_own_exit(hubsync: CommandLine, ref: str, exit_code: int, code: str) -> None:
    """What cannot be installed says why, how to go on, and exits as the contract says."""
    answer = hubsync("install", ref, "--json")
    error = answer.json["results"][0]["error"]
    assert (answer.exit, error["code"]) == (exit_code, code)
    assert error["message"] in answer.stderr


def test_without_a_key_early_access_and_login_are_told_apart(hubsync: CommandLine) -> None:
    """Both exit 4, each with the next step."""
    anonymous = {"CIVITAI_API_KEY": ""}
    codes = [
        hubsync("install", ref, "--json", environ=anonymous).json["results"][0]["error"]["code"]
        for ref in ("civitai:1011", "civitai:1012")
    ]
    assert codes == ["early_access", "token_required"]


def test_a_batch_with_different_failures_exits_1(hubsync: CommandLine) -> None:
    """One failing does not end the others; mixed failures exit 1, equal ones with their own code."""
    mixed = hubsync("install", "civitai:1001", "civitai:1013", "civitai:1016", "--json")
    assert [result["status"] for result in mixed.json["results"]] == ["installed", "failed", "failed"]
    assert mixed.exit == 1
    assert hubsync("install", "civitai:1001", "civitai:1013", "civitai:1013").exit == 3


def test_list_and_info_know_what_was_installed(hubsync: CommandLine) -> None:
    """The library lists it, filters by word, and tells its header facts."""
    hubsync("install", "civitai:1004", "civitai:1001", "civitai:1006")
    assert [row["name"] for row in hubsync("list", "--json").json["items"]] == ["add_detail", "blue_ring", "sks_frame"]
    assert [row["name"] for row in hubsync("list", "--trigger", "SKS", "--json").json["items"]] == ["sks_frame"]
    info = hubsync("info", "SKS_frame", "--json").json
    assert (info["network"], info["rank"], info["family"], info["alias"]) == ("lora", 8, "sd1", "sks_frame")
    embedding = hubsync("info", "blue_ring", "--json").json
    assert (embedding["type"], embedding["trigger_words"]) == ("embedding", [["blue_ring"]])
    assert Path(embedding["path"]).parent.name == "embeddings"
    missing = hubsync("info", "sks_fram", "--json")
    assert (missing.exit, missing.json["error"]["code"]) == (3, "not_found")
    assert "sks_frame" in missing.json["error"]["hint"]


def test_prompt_inserts_tag_and_words_and_takes_them_out(hubsync: CommandLine) -> None:
    """The user's text first, then the words, then the tag; removing gives the text back."""
    hubsync("install", "civitai:1004")
    put = hubsync("prompt", "a blue ring", "--lora", "sks_frame:0.9", "--json").json
    assert put["prompt"] == "a blue ring, sks <lora:sks_frame:0.9>"
    assert put["loras"][0]["found"] is True
    taken = hubsync("prompt", put["prompt"], "--remove", "sks_frame", "--json").json
    assert taken["prompt"] == "a blue ring"
    read = hubsync("prompt", "-", "--lora", "sks_frame", stdin="from a pipe\n")
    assert read.stdout.startswith("from a pipe, sks <lora:sks_frame:")


def test_a_prompt_that_names_a_missing_lora_warns(hubsync: CommandLine) -> None:
    """The text stays as it is; the nearest installed name is offered."""
    hubsync("install", "civitai:1004")
    answer = hubsync("prompt", "a ring <lora:sks_fram:1>", "--json")
    assert (answer.exit, answer.json["prompt"]) == (0, "a ring <lora:sks_fram:1>")
    assert [note["code"] for note in answer.json["warnings"]] == ["unknown_lora"]
    assert "sks_frame" in answer.stderr


def test_ctrl_c_keeps_what_was_fetched(hubsync: CommandLine, hub: SandboxHub, ground: Playground) -> None:
    """Interrupting exits 130 and leaves a part file; the next install fetches only the rest."""
    hub.switch(Fault(kind=FaultKind.THROTTLE, rate=60_000))
    command = [sys.executable, "-m", "hubsync", "install", "civitai:1004", "--json"]
    process = subprocess.Popen(
        command, env=dict(ground.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    folder = ground.root / "models" / "Lora"
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size for part in folder.glob("*.part")) and time.monotonic() < deadline:
        process.poll()
    process.send_signal(signal.SIGINT)
    hub.switch()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "cancelled")
    result = hubsync("install", "civitai:1004", "--json").json["results"][0]
    assert result["status"] == "installed"
    assert 0 < result["resumed_from"] < result["size"]
    assert result["bytes_downloaded"] == result["size"] - result["resumed_from"]


def test_the_second_outfit_is_chosen_by_number(hubsync: CommandLine) -> None:
    """Groups are alternatives: the first by default, another by its number, never both."""
    hubsync("install", "civitai:1005")
    groups = hubsync("triggers", "mona_outfits", "--json").json["groups"]
    assert [(group["index"], group["enabled"]) for group in groups] == [(1, True), (2, False)]
    day = hubsync("prompt", "a ring", "--lora", "mona_outfits:1").stdout
    night = hubsync("prompt", "a ring", "--lora", "mona_outfits:1:2").stdout
    assert ("day outfit" in day, "night outfit" in day) == (True, False)
    assert ("day outfit" in night, "night outfit" in night) == (False, True)


def test_parse_shows_what_automatic1111_reads(hubsync: CommandLine) -> None:
    """Networks apart, weights resolved."""
    parsed = hubsync("prompt", "a (red:1.5) ring <lora:x:0.5:te=1>", "--parse", "--json").json
    assert parsed["networks"] == [{"type": "lora", "positional": ["x", "0.5"], "named": {"te": "1"}}]
    assert parsed["attention"] == [["a ", 1.0], ["red", 1.5], [" ring ", 1.0]]


def test_inspect_reads_a_header_and_a_damaged_file(hubsync: CommandLine, tmp_path: Path) -> None:
    """A whole file is valid; a truncated one tells what it can and exits 6."""
    whole = hubsync("inspect", str(LORAS / "sks_frame.safetensors"), "--json").json
    assert (whole["valid"], whole["network"], whole["layout"]) == (True, "lora", "kohya")
    assert whole["targets"]["text_encoder"] > 0
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((LORAS / "sks_frame.safetensors").read_bytes()[:-100])
    damaged = hubsync("inspect", str(cut), "--json")
    assert (damaged.exit, damaged.json["valid"], damaged.json["network"]) == (6, False, "lora")


def test_errors_are_one_json_document(hubsync: CommandLine) -> None:
    """A usage error with --json is data too, and no traceback is ever printed."""
    answer = hubsync("install", "--nonsense", "--json")
    assert (answer.exit, answer.json["error"]["code"]) == (2, "usage")
    assert "Traceback" not in answer.stderr


def test_without_a_terminal_there_is_help_and_exit_2(hubsync: CommandLine) -> None:
    """`hubsync` alone opens the TUI on a terminal only."""
    answer = hubsync()
    assert (answer.exit, answer.stdout) == (2, "")
    assert "search" in answer.stderr


def test_doctor_finds_both_hubs(hubsync: CommandLine) -> None:
    """Every check has a name and a verdict; in the playground none is an error."""
    answer = hubsync("doctor", "--json")
    checks = {check["name"]: check["status"] for check in answer.json["checks"]}
    assert (answer.exit, checks["civitai"], checks["huggingface"]) == (0, "ok", "ok")


def test_without_a_renderer_it_is_said_and_how_to_get_one(hubsync: CommandLine) -> None:
    """`doctor` warns, `render` exits 8, both name the line that installs it."""
    hubsync("install", "civitai:1004")
    elsewhere = {"HUBSYNC_RENDER__PYTHON": "/nonexistent/python"}
    checks = {check["name"]: check for check in hubsync("doctor", "--json", environ=elsewhere).json["checks"]}
    assert (checks["renderer"]["status"], "hubsync[render]" in checks["renderer"]["hint"]) == ("warning", True)
    render = hubsync("render", "sks_frame", "--json", environ=elsewhere)
    assert (render.exit, render.json["error"]["code"]) == (8, "renderer_missing")
    assert "hubsync[render]" in render.stderr


@pytest.mark.parametrize(
    "arguments", [["gone"], ["sks_frame", "--prompt", "a ring <lora:gone:1>"]], ids=["name", "tag"]
)
def test_a_render_never_leaves_a_lora_out_silently(hubsync: CommandLine, arguments: list[str]) -> None:
    """A LoRA that is not installed, named or in a tag of the prompt, stops the render before anything is loaded."""
    hubsync("install", "civitai:1004")
    answer = hubsync("render", *arguments, "--json")
    assert (answer.exit, answer.json["error"]["code"]) == (7, "unknown_lora")
    assert "'gone'" in answer.stderr


def test_a_test_render_shows_the_effect_in_numbers_and_pictures(hubsync: CommandLine, ground: Playground) -> None:
    """The words do the most, the pictures carry infotext, the history holds them."""
    pytest.importorskip("diffusers")
    hubsync("install", "civitai:1004")
    outcome = hubsync("render", "sks_frame", "--json").json
    kinds = {render["kind"]: render for render in outcome["renders"]}
    assert list(kinds) == ["base", "lora", "lora+triggers"]
    assert kinds["base"]["effect"] is None
    assert kinds["lora+triggers"]["effect"] > 3 * kinds["lora"]["effect"] > 0
    assert kinds["lora+triggers"]["trigger_effect"] > 0.2
    with Image.open(kinds["lora+triggers"]["path"]) as picture:
        assert picture.size == (64, 64)
        assert "<lora:sks_frame:0.9>" in picture.info["parameters"]
    assert Path(outcome["sheet"]).parent.parent == ground.root / ".hubsync" / "renders"
    history = hubsync("renders", "sks_frame", "--json").json["items"]
    assert {render["path"] for render in history} == {kinds[kind]["path"] for kind in ("lora", "lora+triggers")}
    assert hubsync("info", "sks_frame", "--json").json["renders"] == 2


def test_config_is_set_and_read_back(hubsync: CommandLine) -> None:
    """A value set is the value read; keys are never printed in the list."""
    hubsync("config", "set", "search.limit", "7")
    assert hubsync("config", "get", "search.limit").stdout == "7\n"
    assert SandboxHub.KEY not in hubsync("config", "list").stdout
