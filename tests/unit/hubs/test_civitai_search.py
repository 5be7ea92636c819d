"""Civitai searches: what is asked, which pages are followed, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hubsync.domain import LORA_TYPES, LoraType, Nsfw, Period, Query, Sort
from hubsync.errors import UnexpectedResponse, UsageError
from hubsync.refs import CivitaiRef, Source

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire


def _row(number: int, **more: Any) -> dict[str, Any]:
    version = {"id": number + 1000, "name": "v1", "baseModel": "SD 1.5", **more.pop("version", {})}
    return {"id": number, "name": f"model {number}", "type": "LORA", "nsfwLevel": 1, "modelVersions": [version], **more}


def _page(*rows: Any, cursor: object = None) -> dict[str, Any]:
    return {"items": list(rows), "metadata": {} if cursor is None else {"nextCursor": cursor}}


def _numbers(wired: Wire, query: Query) -> list[int | None]:
    return [lora.ref.model for lora in wired.civitai().search(query).items if isinstance(lora.ref, CivitaiRef)]


def test_the_default_search_asks_for_loras_of_three_kinds(wire: Callable[..., Wire]) -> None:
    """Types repeat their parameter; nothing that was not asked for is sent, and never a page number."""
    wired = wire(json=_page())
    wired.civitai().search(Query())
    params = wired.requests[0].url.params
    assert str(wired.requests[0].url).startswith("https://civitai.com/api/v1/models?")
    assert params.get_list("types") == ["LORA", "LoCon", "DoRA"]
    assert sorted(params.keys()) == ["limit", "nsfw", "types"]


def test_every_part_of_a_query_becomes_a_parameter(wire: Callable[..., Wire]) -> None:
    """Text, tag, creator, order, period, base models and cursor each have their place."""
    wired = wire(json=_page())
    query = Query(
        text=" pixel art ",
        types=(LoraType.EMBEDDING,),
        base_models=("sdxl 1.0", "Quasar 2", "flux2"),
        tag="style",
        creator="somebody",
        sort=Sort.NEWEST,
        period=Period.MONTH,
        nsfw=Nsfw.NONE,
        limit=7,
        cursors={Source.CIVITAI: "1|2|3"},
    )
    wired.civitai().search(query)
    params = wired.requests[-1].url.params
    assert params["query"] == "pixel art"
    assert params.get_list("types") == ["TextualInversion"]
    assert params.get_list("baseModels")[:3] == ["SDXL 1.0", "Quasar 2", "Flux.2 D"]
    told = {key: params[key] for key in ("tag", "username", "sort", "period", "nsfw", "limit", "cursor")}
    assert told == {
        "tag": "style",
        "username": "somebody",
        "sort": "Newest",
        "period": "Month",
        "nsfw": "false",
        "limit": "7",
        "cursor": "1|2|3",
    }
    assert "page" not in params


@pytest.mark.parametrize(
    ("sort", "name"),
    [
        (Sort.RELEVANCE, None),
        (Sort.DOWNLOADS, "Most Downloaded"),
        (Sort.LIKES, "Most Liked"),
        (Sort.RATING, "Highest Rated"),
        (Sort.NEWEST, "Newest"),
    ],
)
def test_orders_have_civitais_names(wire: Callable[..., Wire], sort: Sort, name: str | None) -> None:
    """A name the server does not know would be refused."""
    wired = wire(json=_page())
    wired.civitai().search(Query(sort=sort))
    assert wired.requests[0].url.params.get("sort") == name


def test_every_type_asks_for_none(wire: Callable[..., Wire]) -> None:
    """Asking for other kinds too cannot list them, so no type is named."""
    wired = wire(json=_page(_row(1, type="MegaLoRA")))
    items = wired.civitai().search(Query(types=tuple(LoraType))).items
    assert wired.pairs("types") == []
    assert [item.type for item in items] == [LoraType.OTHER]


def test_empty_pages_are_followed_until_something_is_there(wire: Callable[..., Wire]) -> None:
    """A page that was emptied after it was cut still says where the next one is; cursors are opaque, even numbers."""
    pages = {None: _page(cursor="a|b"), "a|b": _page(cursor=17), "17": _page(_row(5), cursor="end")}
    wired = wire(lambda request: httpx2.Response(200, json=pages[request.url.params.get("cursor")]))
    page = wired.civitai().search(Query(limit=1))
    assert [item.name for item in page.items] == ["model 5"]
    assert page.next == "end"


def test_no_more_than_five_pages_are_followed(wire: Callable[..., Wire]) -> None:
    """A server that has nothing to show for ever is left after five pages, with the place to go on."""
    wired = wire(lambda request: httpx2.Response(200, json=_page(cursor=f"{request.url.params.get('cursor')}x")))
    page = wired.civitai().search(Query())
    assert (page.items, page.next) == ((), "Nonexxxxx")
    assert len(wired.requests) == 5


def test_a_cursor_that_does_not_move_ends_the_search(wire: Callable[..., Wire]) -> None:
    """The same cursor twice is the end, not a loop."""
    wired = wire(json=_page(_row(1), cursor="same"))
    page = wired.civitai().search(Query(cursors={Source.CIVITAI: "same"}))
    assert (len(wired.requests), len(page.items)) == (1, 1)


def test_only_what_is_missing_is_asked_for(wire: Callable[..., Wire]) -> None:
    """Filling a page never fetches a row it cannot show, so that a cursor loses nothing; repetitions are dropped."""
    pages = {None: _page(_row(1), _row(2), cursor="b"), "b": _page(_row(2), _row(3), cursor="c"), "c": _page(_row(4))}
    wired = wire(lambda request: httpx2.Response(200, json=pages[request.url.params.get("cursor")]))
    page = wired.civitai().search(Query(limit=4))
    assert [item.name for item in page.items] == ["model 1", "model 2", "model 3", "model 4"]
    assert [request.url.params["limit"] for request in wired.requests] == ["4", "2", "1"]
    assert page.next is None


@pytest.mark.parametrize(
    ("row", "least"),
    [
        ({"nsfwLevel": 1}, "none"),
        ({"nsfwLevel": 3}, "soft"),
        ({"nsfwLevel": 5}, "mature"),
        ({"nsfwLevel": 1, "nsfw": True}, "mature"),
        ({"nsfwLevel": 31}, "x"),
        ({"nsfwLevel": None, "nsfw": True}, "x"),
        ({"nsfwLevel": 0}, "none"),
        ({"nsfwLevel": 33}, None),
    ],
)
def test_nothing_above_the_ceiling_is_shown(wire: Callable[..., Wire], row: dict[str, Any], least: str | None) -> None:
    """Every level bit of a model has to lie under the ceiling; flagged without a level is X; 32 is never shown."""
    ceilings = list(Nsfw)
    shown = [bool(_numbers(wire(json=_page(_row(1, **row))), Query(nsfw=ceiling))) for ceiling in ceilings]
    assert shown == [least is not None and index >= ceilings.index(Nsfw(least)) for index in range(4)]


def test_pictures_above_the_ceiling_are_left_out(wire: Callable[..., Wire]) -> None:
    """A model may be shown while some of its pictures are not, whichever way they are rated."""
    images: list[dict[str, Any]] = [
        {"url": "https://i/r.jpeg", "nsfwLevel": 4},
        {"url": "https://i/old-x.jpeg", "nsfw": "X"},
        {"url": "https://i/older.jpeg", "nsfw": True},
        {"url": "https://i/soft.jpeg", "nsfw": "Soft"},
        {"url": "https://i/pg.jpeg", "nsfwLevel": 1},
    ]
    wired = wire(json=_page(_row(1, version={"images": images})))
    (item,) = wired.civitai().search(Query(nsfw=Nsfw.SOFT)).items
    assert [preview.url for preview in item.versions[0].previews] == ["https://i/soft.jpeg", "https://i/pg.jpeg"]
    assert item.preview_url == "https://i/soft.jpeg"


def test_what_the_server_did_not_filter_is_filtered_here(wire: Callable[..., Wire]) -> None:
    """An unknown tag is dropped silently by the server, and rows of other types or base models do not pass."""
    rows = [
        _row(1, tags=["Style"]),
        _row(2, tags=[{"name": "style"}]),
        _row(3, tags=["other"]),
        _row(4, tags=["style"], type="Checkpoint"),
        _row(5, tags=["style"], version={"baseModel": "Pony"}),
    ]
    assert _numbers(wire(json=_page(*rows)), Query(tag="style", base_models=("SD 1.5",))) == [1, 2]


def test_one_bad_row_never_costs_the_page(wire: Callable[..., Wire]) -> None:
    """Rows that are no models, models without versions and fields of wrong types are taken as they come."""
    rows = [None, "x", {"id": -5}, {"id": 2**40}, {"name": "no id"}, _row(1, stats="none", tags="t", creator=[])]
    rows.append({"id": 2, "type": "LORA", "modelVersions": [None, {"id": "x"}]})
    found = wire(json=_page(*rows)).civitai().search(Query()).items
    assert [str(lora.ref) for lora in found] == ["civitai:1@1001", "civitai:2"]
    assert found[1].versions == ()


def test_a_row_holds_its_first_version_and_the_base_models_of_all(wire: Callable[..., Wire]) -> None:
    """A search shows the newest version; the model's other bases are still named."""
    versions = [{"id": 11, "baseModel": "Pony"}, {"id": 10, "baseModel": "SD 1.5"}, {"id": 9, "baseModel": "Pony"}]
    (item,) = wire(json=_page(_row(1, modelVersions=versions))).civitai().search(Query()).items
    assert str(item.ref) == "civitai:1@11"
    assert [str(version.ref) for version in item.versions] == ["civitai:1@11"]
    assert (item.base_models, item.families) == (("Pony", "SD 1.5"), ("sdxl", "sd1"))
    assert item.page_url == "https://civitai.com/models/1?modelVersionId=11"


def test_beside_a_text_the_page_is_ordered_here(wire: Callable[..., Wire]) -> None:
    """With a text the server keeps to relevance, so downloads, likes and dates are sorted on the page."""
    rows = [
        _row(1, stats={"downloadCount": 5, "thumbsUpCount": 9}, version={"publishedAt": "2024-01-01T00:00:00"}),
        _row(2, stats={"downloadCount": 7, "thumbsUpCount": 1}, version={"publishedAt": "2026-01-01T00:00:00Z"}),
        _row(3, stats={"downloadCount": None}),
    ]
    orders = {
        sort: _numbers(wire(json=_page(*rows)), Query(text="x", sort=sort))
        for sort in (Sort.RELEVANCE, Sort.DOWNLOADS, Sort.LIKES, Sort.NEWEST)
    }
    assert orders[Sort.RELEVANCE] == [1, 2, 3]
    assert orders[Sort.DOWNLOADS] == [2, 1, 3]
    assert orders[Sort.LIKES] == [1, 2, 3]
    assert orders[Sort.NEWEST] == [2, 1, 3]


def test_an_unknown_creator_has_nothing(wire: Callable[..., Wire]) -> None:
    """Nobody of that name means no rows, though the server calls it not found."""
    wired = wire(lambda _: httpx2.Response(404, json={"message": "User not found"}))
    page = wired.civitai().search(Query(creator="nobody", types=LORA_TYPES))
    assert (page.items, page.next) == ((), None)


def test_a_cursor_of_another_search_is_wrong_use(wire: Callable[..., Wire]) -> None:
    """The server refuses it, and the user hears what to do."""
    refusal = {"message": "Invalid cursor: expected 3 value(s) for this sort, received 1"}
    wired = wire(lambda _: httpx2.Response(400, json=refusal))
    with pytest.raises(UsageError, match="cursor"):
        wired.civitai().search(Query(cursors={Source.CIVITAI: "1"}))


ENUMS = {
    "BaseModel": ["SD 1.5", "Quasar 2", "\x1b[31mNova-X", "Quasar 2", None, 7, ""],
    "ActiveBaseModel": ["Quasar 2", "Pulsar.1 D"],
}


def _with_enums(wire: Callable[..., Wire], enums: object, status: int = 200) -> Wire:
    """The site with a vocabulary and nothing to find."""
    answers = {"/api/v1/enums": (status, enums), "/api/v1/models": (200, _page())}
    return wire(lambda request: httpx2.Response(answers[request.url.path][0], json=answers[request.url.path][1]))


def _sent(wired: Wire, *names: str) -> list[str]:
    wired.civitai().search(Query(base_models=names))
    return wired.pairs("baseModels")


def test_the_site_names_its_base_models_once(wire: Callable[..., Wire]) -> None:
    """Cleaned, in its order, each once; a second question is not asked, whatever came of the first."""
    wired = _with_enums(wire, ENUMS)
    hub = wired.civitai()
    assert hub.base_models() == ("SD 1.5", "Quasar 2", "[31mNova-X", "Pulsar.1 D")
    assert hub.base_models() == hub.base_models()
    assert [request.url.path for request in wired.requests] == ["/api/v1/enums"]


@pytest.mark.parametrize(
    ("status", "enums"), [(503, None), (404, {}), (200, []), (200, {}), (200, {"BaseModel": "x"}), (200, None)]
)
def test_without_an_answer_the_shipped_names_serve(wire: Callable[..., Wire], status: int, enums: object) -> None:
    """A refusal or nonsense leaves the table's names, and one question is enough."""
    wired = _with_enums(wire, enums, status)
    hub = wired.civitai()
    assert {"SD 1.5", "Flux.1 D", "ZImageTurbo"} <= set(hub.base_models())
    hub.search(Query(base_models=("Quasar 2",)))
    assert [request.url.path for request in wired.requests] == ["/api/v1/enums", "/api/v1/models"]
    assert wired.pairs("baseModels") == ["Quasar 2"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("flux.1 d", "Flux.1 D"), ("Flux1D", "Flux.1 D"), ("zimage turbo", "ZImageTurbo"), ("illustrious", "Illustrious")],
)
def test_names_the_table_knows_cost_no_question(wire: Callable[..., Wire], typed: str, sent: str) -> None:
    """In any case, with or without spaces, dots and hyphens."""
    wired = _with_enums(wire, ENUMS)
    assert _sent(wired, typed) == [sent]
    assert len(wired.requests) == 1


@pytest.mark.parametrize(
    ("typed", "sent"), [("quasar-2", "Quasar 2"), ("PULSAR 1D", "Pulsar.1 D"), ("Magnetar 9", "Magnetar 9")]
)
def test_other_names_are_looked_up(wire: Callable[..., Wire], typed: str, sent: str) -> None:
    """The site's own spelling is sent; a name it does not know either stays as typed, for its list may be old."""
    assert _sent(_with_enums(wire, ENUMS), typed) == [sent]


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_an_answer_of_another_shape_is_unexpected(wire: Callable[..., Wire], body: object) -> None:
    """JSON that is no page is not taken for an empty one."""
    with pytest.raises(UnexpectedResponse):
        wire(lambda _: httpx2.Response(200, json=body)).civitai().search(Query())
