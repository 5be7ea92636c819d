"""A library as large as a hub: made-up LoRAs, named, tagged and worded as real ones are, written straight into tables.

Names have some 15 characters, and there are 3 tags and 5 trigger words each. Tags, words, series and creators are drawn
so that a few are everywhere and most are rare.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field


def _listed(texts: str, separator: str) -> list[str]:
    return texts.split(separator)


# fmt: off
TAGS = _listed(
    "character anime style woman clothing girl concept video game photorealistic man objects background poses "
    "celebrity sexy cute portrait landscape fantasy sci-fi dress manga cartoon realistic 3d robot vehicle building "
    "animal monster armor weapon uniform swimsuit pixel-art watercolor sketch lineart retro cyberpunk horror gothic "
    "steampunk kimono lighting detail texture hairstyle glasses tool assets food furry elf demon angel witch",
    " ",
)
WORDS = _listed(
    "1girl,solo,long hair,blue eyes,blonde hair,looking at viewer,smile,large breasts,red eyes,black hair,short hair,"
    "hair ornament,white shirt,skirt,gloves,dress,jewelry,thighhighs,open mouth,twintails,brown hair,hat,ribbon,bangs,"
    "purple eyes,green eyes,ponytail,school uniform,pink hair,black gloves,detached sleeves,necktie,earrings,hairband,"
    "ahoge,horns,wings,tail,animal ears,pleated skirt,armor,cape,choker,braid,jacket,boots,bare shoulders,masterpiece,"
    "best quality,highly detailed,cinematic lighting,oil painting,flat color,film grain,neon lights,rim lighting",
    ",",
)
THINGS = _listed(
    "add detail more details style slider lora enhancer tweaker eyes hands face body hair dress outfit concept pose "
    "lighting background interior city forest dragon knight princess maid nurse samurai ninja mecha robot cyber neon "
    "retro vintage film polaroid noise offset epic fantasy gothic dark light soft color pastel ink sketch pixel toon",
    " ",
)
ONSETS = _listed("b c d f g h j k l m n p r s t v w y z ch sh th br tr kr st", " ")
VOWELS = _listed("a e i o u a i ai ei", " ")
CODAS = ("", "", "", "n", "r", "l", "s", "m", "t", "x")
HAN = (
    "美女古装写真白雪红黑天龙王花月水火风云山海星光夜梦剑仙侠少年动漫游戏人物角色画新国风汉服旗袍校制服机甲科幻未来城市"
    "東京日本魔法使巫忍者武士姫騎鬼狐猫犬鳥金銀青春夏秋冬雨空森林"
)
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロワンガギグゴザジズダデドバ"
ENDINGS = ("", "", "v1", "v2", "v3", "v1.5", "XL", "xl_v1", "Pony", "PDXL", "IL", "illustrious", "Flux", "SDXL", "lora")
# fmt: on


def spread(choices: Sequence[str], chance: random.Random, *, power: float) -> str:
    """One of them, the first far more often than the last."""
    return choices[int(len(choices) * chance.random() ** power)]


@dataclass(slots=True)
class Catalogue:
    """A seeded stream of rows."""

    chance: random.Random = field(default_factory=lambda: random.Random(7))
    people: list[str] = field(init=False)
    series: list[str] = field(init=False)
    creators: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.people = [self.coined(2, 4) for _ in range(20_000)]
        self.series = [f"{self.coined(2, 3)} {self.coined(1, 3)}" for _ in range(2_000)]
        self.creators = [f"{self.coined(2, 4)}{self.chance.choice(['', '', '_ai', '99', 'Art'])}" for _ in range(8_000)]

    def coined(self, least: int, most: int) -> str:
        """A word nobody has seen, that can be spoken."""
        sounds = (ONSETS, VOWELS, CODAS)
        return "".join(
            self.chance.choice(choices) for _ in range(self.chance.randint(least, most)) for choices in sounds
        )

    def name(self) -> str:
        """A file's stem."""
        kind = self.chance.random()
        if kind < 0.04:
            return "".join(self.chance.choices(HAN, k=self.chance.randint(2, 8))) + self.chance.choice(ENDINGS)
        if kind < 0.06:
            return "".join(self.chance.choices(KANA, k=self.chance.randint(3, 8)))
        parts = [spread(self.people, self.chance, power=2)] if kind < 0.6 else self.chance.choices(THINGS, k=2)
        if self.chance.random() < 0.4:
            parts.append(spread(self.series, self.chance, power=4).split()[0])
        parts.append(self.chance.choice(ENDINGS))
        parts = [part.title() if self.chance.random() < 0.4 else part for part in parts if part]
        return self.chance.choice("__-_ .").join(parts)

    def tags(self) -> set[str]:
        """The tags of one LoRA; half of them are a series of their own."""
        common = {spread(TAGS, self.chance, power=3) for _ in range(self.chance.randint(1, 4))}
        return common | {spread(self.series, self.chance, power=3) for _ in range(self.chance.randint(0, 2))}

    def words(self) -> set[str]:
        """The trigger words of one LoRA."""
        return {spread(WORDS, self.chance, power=2) for _ in range(self.chance.randint(1, 10))}


def fill(connection: sqlite3.Connection, count: int) -> list[int]:
    """Write so many LoRAs; their ids."""
    catalogue = Catalogue()
    first = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM loras").fetchone()[0]
    ids = list(range(first, first + count))
    for table, values in _tables(catalogue, ids).items():
        marks = ", ".join("?" for _ in values[0])
        columns = " (id, path, name, name_key, title, type, size, mtime_ns, creator)" if table == "loras" else ""
        connection.executemany(f"INSERT INTO {table}{columns} VALUES ({marks})", values)
    return ids


def _tables(catalogue: Catalogue, ids: Sequence[int]) -> dict[str, list[tuple[object, ...]]]:
    tables: dict[str, list[tuple[object, ...]]] = {"loras": [], "tags": [], "trigger_groups": [], "trigger_words": []}
    for key in ids:
        name = catalogue.name()
        title = f"{name.replace('_', ' ')} {spread(THINGS, catalogue.chance, power=1)}"
        creator = spread(catalogue.creators, catalogue.chance, power=3)
        tables["loras"].append((key, f"{key}/{name}", name, name.casefold(), title, "lora", 1, 1, creator))
        tables["tags"] += [(key, tag) for tag in catalogue.tags()]
        tables["trigger_groups"].append((key, 1, True))
        words = [name.casefold(), *catalogue.words()]
        tables["trigger_words"] += [(key, 1, at, word, "civitai", True) for at, word in enumerate(words)]
    return tables
