"""Hugging Face searches: which lists are read, how they merge, where a cursor goes on, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hubsync.domain import LoraType, Nsfw, Period, Query, Sort
from hubsync.errors import RateLimited, UnexpectedResponse, UsageError
from hubsync.refs import Source

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire

SHA = "0123456789abcdef0123456789abcdef01234567"


def _row(name: str, score: float = 0, **more: Any) -> dict[str, Any]:
    tags = ["lora", "diffusers", *more.pop("tags", [])]
    return {"id": f"o/{name}", "sha": SHA, "tags": tags, "trendingScore": score, **more}


class Lists:
    """Answers `/api/models` from one list of rows for each set of filters, in pages of a few."""

    def __init__(self, page: int = 2, **lists: list[Any]) -> None:
        self._page = page
        self._lists = lists

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """A page of the list the filters name, with a `Link` to the next."""
        params = request.url.params
        rows = self._lists.get(params.get_list("filter")[0].replace("-", "_"), [])
        start = int(params.get("cursor", "0"))
        stop = start + min(self._page, int(params["limit"]))
        url = f"https://elsewhere.example.org/api/models?limit=9&cursor={stop}"
        headers = {"Link": f'<{url}>; rel="next"'} if stop < len(rows) else {}
        return httpx2.Response(200, json=rows[start:stop], headers=headers)


def _names(wired: Wire, query: Query) -> list[str]:
    return [lora.name for lora in wired.hugging_face().search(query).items]


def test_the_default_search_reads_two_lists(wire: Callable[..., Wire]) -> None:
    """`lora`, and `dora` for cards that carry it instead; one call a page brings cards and file names."""
    wired = wire(Lists())
    wired.hugging_face().search(Query())
    assert [request.url.path for request in wired.requests] == ["/api/models"] * 2
    assert sorted(request.url.params.get_list("filter") for request in wired.requests) == [["dora"], ["lora"]]
    params = wired.requests[0].url.params
    assert {"cardData", "siblings", "sha", "gated", "tags"} <= set(params.get_list("expand"))
    assert (params["sort"], params["limit"]) == ("trendingScore", "20")


def test_every_part_of_a_query_becomes_a_parameter(wire: Callable[..., Wire]) -> None:
    """Text, creator, tag and order; a base model under each of its names, in a list of its own."""
    wired = wire(Lists())
    query = Query(
        text=" pixel art ",
        types=(LoraType.LORA,),
        base_models=("sd1",),
        tag="style",
        creator="u",
        sort=Sort.NEWEST,
        limit=7,
    )
    wired.hugging_face().search(query)
    params = wired.requests[0].url.params
    told = {key: params[key] for key in ("search", "author", "sort", "limit")}
    assert told == {"search": "pixel art", "author": "u", "sort": "lastModified", "limit": "7"}
    bases = [request.url.params.get_list("filter")[1] for request in wired.requests]
    assert "base_model:adapter:runwayml/stable-diffusion-v1-5" in bases
    assert "base_model:adapter:stable-diffusion-v1-5/stable-diffusion-v1-5" in bases
    assert all(request.url.params.get_list("filter")[2] == "style" for request in wired.requests)


@pytest.mark.parametrize(
    ("types", "tags"),
    [
        ((LoraType.EMBEDDING,), ["textual_inversion"]),
        ((LoraType.DORA,), ["dora"]),
        ((LoraType.LOCON,), []),
        ((LoraType.CHECKPOINT, LoraType.OTHER), []),
    ],
)
def test_types_are_tags_here(wire: Callable[..., Wire], types: tuple[LoraType, ...], tags: list[str]) -> None:
    """Kinds the Hub has no tag for have no list to read."""
    wired = wire(Lists())
    assert wired.hugging_face().search(Query(types=types)).items == ()
    assert [request.url.params.get_list("filter")[0] for request in wired.requests] == tags


def test_an_unknown_base_model_has_nothing(wire: Callable[..., Wire]) -> None:
    """A name no repository is known for is not looked for among all."""
    wired = wire(Lists(lora=[_row("a")]))
    assert wired.hugging_face().search(Query(base_models=("Quasar 2",))).items == ()
    assert wired.requests == []


def test_lists_merge_in_the_order_asked_for(wire: Callable[..., Wire]) -> None:
    """Rows of several lists come in one order, each repository once."""
    lists = Lists(lora=[_row("a", 9), _row("b", 5), _row("c", 1)], dora=[_row("d", 7), _row("b", 5), _row("e", 2)])
    assert _names(wire(lists), Query()) == ["a", "d", "b", "e", "c"]


def test_a_cursor_goes_on_where_the_page_ended(wire: Callable[..., Wire]) -> None:
    """Page after page every repository appears once, in one order, however the lists' pages are cut."""
    lora = [_row(f"l{score}", score) for score in range(20, 0, -2)]
    dora = [_row(f"d{score}", score) for score in range(19, 0, -4)]
    everything = sorted(lora + dora, key=lambda row: -float(row["trendingScore"]))
    for limit in (1, 2, 3, 5, 50):
        wired = wire(Lists(3, lora=lora, dora=dora))
        names: list[str] = []
        cursors: dict[Source, str] = {}
        for _ in range(40):
            page = wired.hugging_face().search(Query(limit=limit, cursors=cursors))
            names += [item.name for item in page.items]
            if page.next is None:
                break
            cursors = {Source.HUGGINGFACE: page.next}
        assert names == [row["id"][2:] for row in everything]


def test_the_address_of_the_next_page_is_not_followed(wire: Callable[..., Wire]) -> None:
    """Only its cursor is taken, so that no token follows a link to another host."""
    wired = wire(Lists(1, lora=[_row("a", 2), _row("b", 1)]))
    wired.hugging_face().search(Query(types=(LoraType.LORA,)))
    assert {request.url.host for request in wired.requests} == {"huggingface.co"}
    assert wired.pairs("cursor") == ["1"]


@pytest.mark.parametrize("cursor", ["lora=x", "lora=1", "lora=-1~x", f"lora={'9' * 5000}~x"])
def test_a_cursor_of_no_search_is_wrong_use(wire: Callable[..., Wire], cursor: str) -> None:
    """A text that is no cursor is told apart from a failing hub."""
    with pytest.raises(UsageError):
        wire(Lists()).hugging_face().search(Query(cursors={Source.HUGGINGFACE: cursor}))


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({}, True),
        ({"library_name": "peft", "tags": ["peft"], "pipeline_tag": "text-generation"}, False),
        ({"library_name": "transformers", "tags": ["llama"]}, False),
        ({"library_name": "peft", "pipeline_tag": "text-to-image"}, True),
        ({"pipeline_tag": "text-to-video"}, True),
        ({"tags": ["base_model:adapter:black-forest-labs/FLUX.1-dev"]}, True),
        ({"tags": ["base_model:meta-llama/Llama-3.1-8B"]}, False),
        ({"tags": ["template:sd-lora"]}, True),
        ({"library_name": "diffusers", "disabled": True}, False),
        ({"library_name": "diffusers", "gated": "auto"}, True),
    ],
)
def test_adapters_of_language_models_are_kept_out(wire: Callable[..., Wire], row: dict[str, Any], shown: bool) -> None:  # noqa: FBT001
    """A picture task, the diffusers library, a template or a known base model tell a LoRA for pictures."""
    row = {"id": "o/a", "library_name": "", **row, "tags": ["lora", *row.get("tags", [])]}
    if row == {"id": "o/a", "library_name": "", "tags": ["lora"]}:
        row["tags"].append("diffusers")
    assert _names(wire(Lists(lora=[row])), Query()) == (["a"] if shown else [])


def test_flagged_repositories_need_the_highest_ceiling(wire: Callable[..., Wire]) -> None:
    """They carry no level, so they count as X."""
    rows = [_row("a", tags=["not-for-all-audiences"], siblings=[{"rfilename": "x.png"}])]
    found = [wire(Lists(lora=rows)).hugging_face().search(Query(nsfw=ceiling)).items for ceiling in Nsfw]
    assert [len(items) for items in found] == [0, 0, 0, 1]
    assert (found[3][0].nsfw, found[3][0].versions[0].previews[0].nsfw_level) == (True, 8)


def test_a_period_is_kept_here(wire: Callable[..., Wire]) -> None:
    """The Hub has no such filter: rows not changed within it, or without a date, are left out."""
    rows = [
        _row("new", 3, lastModified="2026-09-25T00:00:00.000Z"),
        _row("old", 2, lastModified="2026-01-01T00:00:00Z"),
    ]
    rows.append(_row("undated", 1))
    assert _names(wire(Lists(lora=rows)), Query(period=Period.MONTH)) == ["new"]


def test_a_row_tells_what_its_front_matter_says(wire: Callable[..., Wire]) -> None:
    """Trigger words, base model, pictures and the file, without asking for the repository itself."""
    card = {
        "instance_prompt": "rbt, tin",
        "base_model": "runwayml/stable-diffusion-v1-5",
        "license": "mit",
        "widget": [{"text": "a robot", "output": {"url": "images/a b.png"}}],
    }
    more: dict[str, Any] = {
        "siblings": [{"rfilename": "README.md"}, {"rfilename": "rbt.safetensors"}],
        "downloads": 5,
        "likes": 2,
    }
    row = _row("a", cardData=card, author="Some One", lastModified="2026-09-25T00:00:00.000Z", **more)
    (item,) = wire(Lists(lora=[row])).hugging_face().search(Query()).items
    version = item.versions[0]
    assert str(item.ref) == str(version.ref) == f"hf:o/a@{SHA}"
    assert (item.creator, item.license, item.downloads, item.likes) == ("Some One", "mit", 5, 2)
    assert (item.base_models, version.family) == (("runwayml/stable-diffusion-v1-5",), "sd1")
    assert item.trigger_words == (("rbt", "tin"),)
    assert item.preview_url == f"https://huggingface.co/o/a/resolve/{SHA}/images/a%20b.png"
    assert item.page_url == "https://huggingface.co/o/a"
    assert [(str(file.ref), file.primary, file.size) for file in version.files] == [
        (f"hf:o/a@{SHA}/rbt.safetensors", True, None)
    ]


def test_one_bad_row_never_costs_the_page(wire: Callable[..., Wire]) -> None:
    """Rows the official client would fail on are skipped, or read as far as they go."""
    rows: list[Any] = [
        {"_id": 7, "likes": "many", "siblings": [{}], "createdAt": "yesterday"},
        None,
        {"id": "no-owner", "tags": ["lora", "diffusers"]},
        _row("a", siblings=[{}, 5, {"rfilename": 7}], cardData={"self": 1, "widget": "x"}, createdAt="yesterday"),
        _row("b", cardData=[], tags=[None, 3], gated="manual", downloads="5"),
    ]
    (first, second) = wire(Lists(9, lora=rows)).hugging_face().search(Query()).items
    assert (first.name, second.name, second.downloads) == ("a", "b", 5)
    assert second.versions[0].requires_token is True


def test_five_pages_of_a_list_are_read_at_most(wire: Callable[..., Wire]) -> None:
    """A list of nothing but language models is left after five pages, with the place to go on."""
    rows = [{"id": f"o/{n}", "tags": ["lora"]} for n in range(30)]
    wired = wire(Lists(2, lora=rows))
    page = wired.hugging_face().search(Query(types=(LoraType.LORA,)))
    assert (page.items, len(wired.requests), page.next) == ((), 5, "lora=0~10")


@pytest.mark.parametrize("link", ['<https://[>; rel="next"', "<>;;=", '<https://x/?a=b>; rel="next"', "garbage"])
def test_a_link_that_leads_nowhere_ends_the_list(wire: Callable[..., Wire], link: str) -> None:
    """The rows before it are shown; their license is one line without escape sequences."""
    row = _row("a", tags=["license:\x1b[31mmit\n"])
    wired = wire(lambda _: httpx2.Response(200, headers={"Link": link}, json=[row]))
    (item,) = wired.hugging_face().search(Query(types=(LoraType.LORA,))).items
    assert (item.name, item.license, len(wired.requests)) == ("a", "[31mmit", 1)


def test_an_answer_of_another_shape_is_unexpected(wire: Callable[..., Wire]) -> None:
    """JSON that is no list is not taken for an empty one."""
    with pytest.raises(UnexpectedResponse):
        wire(json={"error": "?"}).hugging_face().search(Query())


def test_a_hub_out_of_patience_says_for_how_long(wire: Callable[..., Wire]) -> None:
    """The allowance of the window is named; a long wait is not slept."""
    limit = {"RateLimit": '"api";r=0;t=180'}
    wired = wire(lambda _: httpx2.Response(429, headers=limit))
    with pytest.raises(RateLimited) as caught:
        wired.hugging_face().search(Query())
    assert (caught.value.retry_after, wired.waits) == (180.0, [])
