"""Model cards: one written card for each rule and each trap, and the real ones with what a careful reader takes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.hubs.cards import read_card

REPO = "someone/shiny-robots-lora"


def _card(body: str, front: str = "") -> str:
    return f"---\ntags:\n- lora\n{front}\n---\n{body}"


def _words(body: str, front: str = "") -> tuple[str, ...]:
    return read_card(_card(body, front), repo=REPO).words


SECTION = "# Title\n\n## Trigger words\n\n{}\n\n## Download model\n\nGet `x` there.\n"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("You should use `rbt style` to trigger the image generation.", ("rbt style",)),
        ("You should use a photo of TOK robot to trigger the image generation.", ("a photo of TOK robot",)),
        ("You should use `rbt` to trigger the image generation.\n\nYou should use `tin` to trigger.", ("rbt", "tin")),
        ("You should use `rbt, tin, Shiny` as trigger words. The recommended scale is `0.8`.", ("rbt", "tin", "Shiny")),
        (
            "You should use `in the style of TOK a rbt, tin style` to trigger the image generation.",
            ("in the style of TOK a rbt, tin style",),
        ),
        ("replace each concept identifier:\n\nto trigger concept `TOK` → use `<s0><s1>` in your prompt", ("<s0><s1>",)),
        ("Use `RBT style` to invoke its look. Try adding `painting`, e.g. `RBT style painting`.", ("RBT style",)),
        ("It would help if you used `in the style of TOK` for more of it.", ("in the style of TOK",)),
        ("- `rbt` for the style\n- `tin` for the tin, not `lead`", ("rbt", "tin")),
        ('**rbt**, or "tin man"', ("rbt", "tin man")),
        ("rbt, tin", ("rbt", "tin")),
        ("You should use `<lora:robots:0.8>` and `rbt` to trigger.", ("rbt",)),
        ("You should use `<rbt>` to trigger the image generation.", ("<rbt>",)),
        ("You should use &#x60;rbt&#x60; to trigger the image generation.", ("rbt",)),
        ("The trigger word is not required. The recommended scale is `1.0` to `1.5` in diffusers.", ()),
        ("There is no essential trigger words. The recommended scale is `1.0`.", ()),
        ("No trigger words defined.", ()),
        ("None", ()),
        ("Not needed.", ()),
        ("You should use None to trigger the image generation.", ()),
        ("You should use `` to trigger the image generation.", ()),
        ("You should use `[trigger]` to trigger the image generation.", ()),
        ("You should use ```lora:robots:0.8``` to trigger the image generation.", ()),
        ("You should use `rbt , tin ,` to trigger the image generation.", ("rbt", "tin")),
        ("You should use a logo model of TOK to trigger the image generation.", ("a logo model of TOK",)),
        ("> [!TIP]\n> **Trigger words:** You should use `rbt` to trigger it.\n\n- It is not mandatory, `x`", ("rbt",)),
        ('Use trigger word "rbt" in your prompts to get the look.\nBest at the start', ("rbt",)),
        ("Use rbtWords in your prompts to activate the shine", ("rbtWords",)),
        ("The trigger word is `rbt`.\n\n- best at `0.8`\n- with `euler`", ("rbt",)),
        ("- **rbt**: a robot\n- **tin**: a tin man", ("rbt", "tin")),
        (
            "- **Trigger token**: `<rbt>` - wakes it\n- **Angle phrase**: `seen from above`",
            ("<rbt>", "seen from above"),
        ),
        ("- First trigger (required): `rbt`\n- Style tag: `Tin_Man`", ("rbt", "Tin_Man")),
        ("- rbt_7: a robot\n- Style: tin", ("rbt_7", "tin")),
        ("| Word | Effect |\n|---|---|\n| `rbt` | a robot |\n| `tin` | tin |", ("rbt", "tin")),
        ("| Word | Trigger |\n|---|---|\n| one | rbt |", ("rbt",)),
        ("| Sampler | Steps |\n|---|---|\n| euler | 20 |", ()),
        ("For more of it:\n\n```\nrbt style\n```", ("rbt style",)),
        ("```rbt style```", ("rbt style",)),
        ("```py\npipe(prompt)\n```", ()),
        ("rbt\\_style, robot \\(shiny\\)", ("rbt_style", "robot \\(shiny\\)")),
        ("Please look at the pictures above.", ()),
    ],
)
def test_the_section_on_trigger_words_decides(section: str, words: tuple[str, ...]) -> None:
    """What the section says is taken, its scales and tips are not, and what it denies is denied."""
    assert _words(SECTION.format(section)) == words


def test_the_section_outranks_the_front_matter() -> None:
    """A leftover `instance_prompt` gives way to what the text says, also to its saying none."""
    leftover = "instance_prompt: a photo of TOK dog"
    assert _words(SECTION.format("You should use `rbt` to trigger."), leftover) == ("rbt",)
    assert _words(SECTION.format("No trigger words needed."), leftover) == ()


def test_an_empty_section_leaves_it_to_the_front_matter() -> None:
    """A heading without text says nothing."""
    assert _words("## Trigger words\n\n## Next\n", "instance_prompt: rbt") == ("rbt",)


@pytest.mark.parametrize(
    "heading",
    [
        "## Trigger Word",
        "### \U0001f511 Trigger words:",
        "# Main trigger word",
        "## Activation keywords (required)",
        "Trigger Word\n------------",
        "**Trigger words**",
        "Use one of these trigger words:",
        "The weights were trained on the concept prompt:",
        "## \u89e6\u53d1\u8bcd",
        "## トリガーワード",
        '<h2 style="margin: 0">Trigger Words</h2>',
    ],
)
def test_headings_and_lines_that_announce_words(heading: str) -> None:
    """Any level and form, in other languages too; what follows holds the words, up to the next heading or label."""
    assert _words(f"# T\n\n{heading}\n\n`rbt`\n\n**Settings:** `euler`\n") == ("rbt",)
    assert _words(f"# T\n\n{heading}\n\n## Next\n`x`\n", "instance_prompt: rbt") == ("rbt",)


def test_the_first_section_with_words_counts() -> None:
    """A section of example prompts does not hide the one on trigger words."""
    prompts = "## Trigger prompts\n\n    A robot that shines in the light of an early morning sun over the sea\n\n"
    assert _words(prompts + SECTION.format("You should use `rbt` to trigger the image generation.")) == ("rbt",)


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("instance_prompt: rbt style", ("rbt style",)),
        ("instance_prompt: rbt, Tin Man", ("rbt", "Tin Man")),
        ("instance_prompt: 'rbt'", ("rbt",)),
        ("instance_prompt: <rbt>", ("<rbt>",)),
        ("instance_prompt: a photo of <s0><s1> robot", ("<s0><s1>",)),
        ("instance_prompt: yes", ("yes",)),
        ("instance_prompt: 1950", ("1950",)),
        ("instance_prompt: [trigger] x", ("[trigger] x",)),
        ("instance_prompt: rbt: tin", ("rbt: tin",)),
        ("instance_prompt:", ()),
        ("instance_prompt: null", ()),
        ("instance_prompt: ~", ()),
        ("instance_prompt: sksdog", ()),
        ("instance_prompt: [a, b]", ()),
        (f"instance_prompt: {'a very long validation prompt ' * 3}", ()),
        ("instance_prompt: undefined", ()),
        ("instance_prompt: <lora:robots:1>", ()),
        ("trigger_word: rbt", ("rbt",)),
        ("trigger_words: [rbt, Tin Man]", ("rbt", "Tin Man")),
        ("", ()),
    ],
)
def test_the_front_matters_prompt(front: str, words: tuple[str, ...]) -> None:
    """Unquoted words YAML takes for something else stay words; defaults and whole prompts are none."""
    assert _words("# Title\n", front) == words


@pytest.mark.parametrize(
    ("prose", "words"),
    [
        ("Trigger word: rbt style", ("rbt style",)),
        ("- **Trigger Words**: `rbt`, `tin`", ("rbt", "tin")),
        ("| Trigger | `rbt style` |\n| Scale | `1.0` to `1.25` |", ("rbt style",)),
        ("Add the trigger **`rbt style`** to the end of your prompt.", ("rbt style",)),
        ("The tag for the model:RobotAF, Shiny Robot", ("RobotAF", "Shiny Robot")),
        ('It was trained on the trigger word "rbt", so include it.', ("rbt",)),
        ("<p>Trigger word: <code>rbt</code></p><p>Weight 0.8</p>", ("rbt",)),
        ("The trigger word is rbt.", ("rbt",)),
        ("The trigger tokens for your prompt will be `<s0><s1>`", ("<s0><s1>",)),
        ("Put **rbt** into the prompt, weight 0.8.", ("rbt",)),
        ('Start with "rbt style" in your prompts.', ("rbt style",)),
        ("The weights were trained on a photo of sks robot using [DreamBooth](https://x).", ("a photo of sks robot",)),
        ("Use something like `best quality, 1girl, art by Shiny-Robots` as prompt.", ("art by Shiny-Robots",)),
        ("Example tags include masterpiece, best quality.", ()),
        ("Use prompts in the format of `rbt <subject> <description>`, resolution `544x960`.", ()),
        ("During generation, use `wrong` as the negative prompt. That's it!", ()),
        ("No trigger keyword require", ()),
        ("```\nTrigger word: code\n```", ()),
        ("Nothing is said here.", ()),
        ("**Trained words**: rbt, tin man", ("rbt", "tin man")),
        ("**Trained words**: \n\n## Usage\n\n`x`", ()),
        ("**Trigger Words:**<br>\n rbt<br>\n\n<br>\n\n**Author**<br>", ("rbt",)),
        ("Trigger: `rbt`", ("rbt",)),
        ("Trigger word: rbt - a shiny robot", ("rbt",)),
        ("Trigger words: hat, robot (tin), zinc (optional)", ("hat", "robot (tin)", "zinc")),
        ("Trigger words for this LoRA: `rbt` or 'tin'", ("rbt", "tin")),
        ("Trigger word: None", ()),
        ("Trigger -> rbt", ("rbt",)),
        ("Activation keywords: rbt, tin", ("rbt", "tin")),
        ("Keyword: `rbt`", ("rbt",)),
        ('Instance Prompt: "a photo of rbt"', ("a photo of rbt",)),
        ("The adapter uses the trigger word `rbt` and is small.", ("rbt",)),
        ("Use the tokens **_rbt style_** in your prompts.", ("rbt style",)),
        ("To get the style, use the token: rbt style", ("rbt style",)),
        ('It was trained with the keyword "rbt".', ("rbt",)),
        ("Use `rbt` as the trigger word.", ("rbt",)),
        ("Begin your prompts with `rbt`.", ("rbt",)),
        ("Prompt: add 'rbt'.", ("rbt",)),
        ("Use **'Image in the style of RBT'** to trigger the model.", ("Image in the style of RBT",)),
        ("The trigger words help a lot.", ()),
        ("Use 'ugly' as negative prompt.", ()),
        ("| File | Trigger word | Scale |\n|---|---|---|\n| a | rbt | 0.8 |\n| b | `tin` | 1 |", ("rbt", "tin")),
        ("| Name | About |\n|---|---|\n| A | Trigger word: `rbt` |\n| B | Trigger word: `tin` |", ("rbt", "tin")),
        ("<table><tr><td>Trigger</td><td><code>rbt</code></td></tr></table>", ("rbt",)),
        ('<p>The trigger phrase is: <code style="color: red">rbt style</code></p>', ("rbt style",)),
        ("&amp;lt;p&amp;gt;Trigger word: rbt&amp;lt;/p&amp;gt;", ("rbt",)),
        ("\u89e6\u53d1\u8bcd\uff1arbt\uff0ctin\u3002", ("rbt", "tin")),
        ("\u4e0d\u9700\u8981\u89e6\u53d1\u8bcd", ()),
        ("トリガーワードは「rbt」です。", ("rbt",)),
        ("Триггер: rbt", ("rbt",)),
    ],
)
def test_plain_statements_in_prose(prose: str, words: tuple[str, ...]) -> None:
    """Labels, tables, sentences and example prompts; code blocks, formats and negative words say nothing."""
    assert _words(f"# Shiny Robots\n\n{prose}\n") == words


def test_prose_that_denies_outranks_the_front_matter() -> None:
    """A card may set `instance_prompt` and say that none is needed."""
    assert _words("### Tips\nNo trigger keyword require\n", "instance_prompt: robot art") == ()


def test_a_bare_sentence_gives_way_to_the_front_matter() -> None:
    """Without marks a sentence may say something else of the trigger word than what it is."""
    assert _words("The trigger word is placed at the start.", "instance_prompt: rbt") == ("rbt",)
    assert _words("The trigger word is rbt.") == ("rbt",)


def test_an_explicit_word_outranks_a_denial() -> None:
    """Words that are optional are named all the same."""
    assert _words("It works without the trigger word. Trigger word: `rbt`") == ("rbt",)


def test_the_front_matter_keeps_its_spelling() -> None:
    """Where prose says the same words in other letters, the trained spelling is kept."""
    assert _words("The tag for the model: Robots, Robot", "instance_prompt: Robots, robot") == ("Robots", "robot")


@pytest.mark.parametrize(
    ("front", "bases"),
    [
        ("base_model: a/b", ("a/b",)),
        ("base_model:\n- a/b\n- c/d\n- a/b", ("a/b", "c/d")),
        ("base_model: /workspace/models/flux", ()),
        ("base_model: C:\\models\\x", ()),
        ("base_model: some/deep/path", ()),
        ("base_model: https://huggingface.co/a/b", ("a/b",)),
        ("base_model: undefined", ()),
        ("base_model:\n- a/b\n- c/d\nbroken: [unclosed", ("a/b", "c/d")),
        ("base_model: null", ()),
        ("base_model: {a: b}", ()),
        ("", ()),
    ],
)
def test_base_models(front: str, bases: tuple[str, ...]) -> None:
    """A text or a list; a trainer's own disk is no base model."""
    assert read_card(_card("", front), repo=REPO).base_models == bases


@pytest.mark.parametrize(
    ("prose", "weight"),
    [
        ("The recommended scale is `0.8` in diffusers.", 0.8),
        ("| Recommended LoRA scale | `1.0` to `1.25` |", 1.125),
        ("Weight around 1.0  suits most pictures.", 1.0),
        ("- Lora weight of 0.7-1 works great", 0.85),
        ("1.2 Lora strength for the Pixel Art XL works better", 1.2),
        ("Set the strength to 0.65.", 0.65),
        ("Suggested strength: start with `alpha=0.6` to `1.0`.", 0.8),
        ("<ul><li><b>LoRA strength:</b> 1.0</li></ul>", 1.0),
        ("guidance scale of 1.5, CFG scale 7", None),
        ("the strength may need to be much lower than 1.0", None),
        ("tweaking the lora strengths between 0.5-2.0", None),
        ("reducing the strength of the 1000 steps version", None),
        ("Download the weights in 2 formats.", None),
        ("controlnet_conditioning_scale=0.5", None),
        ('```py\npipe(p, cross_attention_kwargs={"scale": 0.9}, guidance_scale=7.5)\n```', 0.9),
        ("```py\npipe.fuse_lora(lora_scale=1.0)\n```", None),
        ("Add `<lora:robots:0.75>` to the prompt.", 0.75),
        ("Add `<lora:robots:1>` to the prompt.", None),
    ],
)
def test_weight_hints(prose: str, weight: float | None) -> None:
    """What the text recommends, the middle of a range; guidance, experiments and generated code are no hints."""
    assert read_card(_card(f"# T\n\n{prose}\n"), repo=REPO).weight == weight


def test_pictures_of_the_widget_come_with_their_prompts() -> None:
    """In order, spaces and brackets in names included; a dash is no prompt."""
    front = """widget:
- text: a robot
  output:
    url: images/a (1).png
- text: '-'
  output:
    url: >-
      https://x.org/b.mp4
- text: no output
- 5"""
    shots = read_card(_card("![body](body.png)", front), repo=REPO).previews
    assert [(shot.url, shot.kind, shot.prompt) for shot in shots] == [
        ("images/a (1).png", "image", "a robot"),
        ("https://x.org/b.mp4", "video", None),
    ]


def test_pictures_of_the_text_without_ornaments() -> None:
    """Markdown and HTML pictures in order; badges, logos, buttons, icons and what is no picture are left out."""
    body = """
![one](./a.png) ![paren](b_(1).jpg "title") <img alt="x" src="c.webp" width="400">
[![run](https://img.shields.io/badge/x.png)](https://x) ![logo](assets/logo.png)
<img src="https://x.org/light.png" height="18"> ![link](page.html) <video controls src="d.mp4"></video>
```
![code](code.png)
```
<!-- ![hidden](hidden.png) -->
![again](./a.png)
"""
    urls = [shot.url for shot in read_card(_card(body), repo=REPO).previews]
    assert urls == ["./a.png", "b_(1).jpg", "c.webp", "d.mp4"]


def test_logos_of_a_logo_lora_are_no_ornaments() -> None:
    """Words of the repository's own name do not make a picture an ornament."""
    card = read_card("![x](logo_1.png) ![b](banner.png)", repo="someone/logo-maker")
    assert [shot.url for shot in card.previews] == ["logo_1.png"]


def test_pictures_of_broken_front_matter() -> None:
    """Addresses are found where the rest cannot be read, on the next line and in quotes too."""
    front = "widget:\n- text: 'it's'\n  output:\n    url:\n      \"a.png\"\n- text: x\n  output:\n    url: b.png"
    assert [shot.url for shot in read_card(_card("", front), repo=REPO).previews] == ["a.png", "b.png"]


def test_mentioned_files_stand_in_for_named_ones() -> None:
    """A call over several lines names a file; without any name, those in code and links count."""
    call = f'pipe.load_lora_weights(\n    "{REPO}",\n    weight_name="robots.safetensors",\n)\nand `base.safetensors`'
    assert read_card(call, repo=REPO).files == ("robots.safetensors",)
    text = "- File: `robots.safetensors`\n- [old](./old.safetensors)\n- `notes.txt`"
    assert read_card(text, repo=REPO).files == ("robots.safetensors", "old.safetensors")


def test_only_files_of_the_cards_own_repository_are_named() -> None:
    """Web UI tags, addresses and code that loads this repository; examples of others name nothing."""
    body = f"""
pipe.load_lora_weights("{REPO}", weight_name="robots.safetensors")
pipe.load_lora_weights("other/repo", weight_name="papercut.safetensors")
"path": "https://huggingface.co/{REPO}/resolve/main/sub/more%20robots.safetensors"
on the web UI use `<lora:robots_webui:1>`
"""
    assert read_card(_card(body), repo=REPO).files == (
        "robots_webui.safetensors",
        "sub/more robots.safetensors",
        "robots.safetensors",
    )


@pytest.mark.parametrize(
    "text",
    [
        "\n---\ninstance_prompt: rbt\n---  \n\nbody",
        "\ufeff---\ninstance_prompt: rbt\n---\nbody",
        "---\r\ninstance_prompt: rbt\r\n---\r\nbody\r\n",
        "---\ninstance_prompt: rbt\n---\n---\ninstance_prompt: other\nlicense: mit\n---\nbody",
        "---\ninstance_prompt: rbt\nbroken: [unclosed\n---\nbody",
        "---\ninstance_prompt: 'rbt'\nbad: *alias\n---\n",
    ],
)
def test_front_matter_of_every_make(text: str) -> None:
    """Leading lines, a BOM, Windows line ends, trailing blanks, a second block, broken YAML."""
    assert read_card(text, repo=REPO).words == ("rbt",)


def test_the_hubs_own_reading_is_used_where_there_is_no_text() -> None:
    """A list row and a closed repository have front matter only, as JSON."""
    data = {"instance_prompt": "rbt", "base_model": ["a/b"], "widget": [{"text": "t", "output": {"url": "x.png"}}]}
    card = read_card("", repo=REPO, data=data)
    assert (card.words, card.base_models, card.previews[0].url) == (("rbt",), ("a/b",), "x.png")


def test_the_description_is_plain_and_the_license_named() -> None:
    """Markup goes, trigger words in angle brackets stay; a named license outranks `other`."""
    card = read_card(_card("<style>p{}</style># T &amp; <phigep>\n", "license: other\nlicense_name: flux"), repo=REPO)
    assert (card.description, card.license) == ("# T & <phigep>", "flux")


@given(st.text(alphabet=st.characters() | st.sampled_from("#`*-|<>[](){}:\"'\n\t "), max_size=300))
def test_no_card_breaks_the_reader(text: str) -> None:
    """Any text is a card, with words that can be printed on one line."""
    for whole in (text, f"---\n{text}\n---\n{text}", f"## Trigger words\n{text}"):
        card = read_card(whole, repo=REPO)
        assert all(word == word.strip() and len(word.splitlines()) == 1 for word in card.words)


def test_a_card_of_many_brackets_is_read_in_time() -> None:
    """Hostile repetition does not slow the rules down."""
    for piece in ("![", "<img ", "[[", "`", "trigger ", "use ", "weight ", "**", "&amp;", "- a: {", "\n---\n", "|-|\n"):
        read_card(f"---\n{piece * 300}\n---\n## Trigger words\n{piece * 20_000}", repo=REPO)


def test_nine_of_ten_real_cards_are_read_as_a_careful_human_does(shared_data: Path) -> None:
    """Trigger words, base models and previews of the recorded cards; at least 90 % of each."""
    folder = shared_data / "hf_cards"
    text = (folder / "manifest.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong: dict[str, list[str]] = {"trigger_words": [], "base_model": [], "previews": []}
    for row in rows:
        card = read_card((folder / row["file"]).read_text("utf-8"), repo=row["hf_repo"])
        read = {
            "trigger_words": list(card.words),
            "base_model": list(card.base_models),
            "previews": [shot.url for shot in card.previews],
        }
        for key, found in read.items():
            if found != json.loads(row[key]):
                wrong[key].append(row["file"])
    assert len(rows) == 28
    assert {key: files for key, files in wrong.items() if len(files) > len(rows) // 10} == {}
