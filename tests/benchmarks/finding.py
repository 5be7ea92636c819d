"""How long a keystroke in the search field takes in a library of 100,000 LoRAs.

Every question is put as the library puts it, over the connection it keeps; the floor beside it is what needs no index:
the same words with LIKE. In a line `s` is the 99th percentile. What counts for a question is the fastest of its turns:
other programs on the machine are none of its business.
"""

from __future__ import annotations

import math
import random
import statistics
import string
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from hubsync.store import finding, folding
from hubsync.store.database import Database
from tests.benchmarks.catalogue import TAGS, WORDS, Catalogue, fill
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import Summary, Workplace

COUNT, BATCH, PAGE = 100_000, 10_000, 100
MOST, MOST_NEAR = 0.005, 0.03
FLOOR = f"SELECT id FROM lookup WHERE {{}} ORDER BY id DESC LIMIT {PAGE}"


def find(place: Workplace) -> list[Row]:
    """Indexing in batches as a scan does it, then every kind of question."""
    with place.fresh() as folder:
        database = Database(folder / "library.db", folder, keep=True)
        batches = build(database, int(COUNT * place.scale))
        kinds = questions(database)
        rows = [indexing(batches)]
        every: list[float] = []
        for kind, texts in kinds.items():
            floor = percentile([timed(partial(with_like, database, text), 1) for text in texts[::10]])
            took = [timed(partial(found, database, text), place.rounds) for text in texts]
            rows.append(row(kind, took, floor=floor))
            every += took
        rows.append(row("every keystroke", every, most=MOST))
        names = [misspelt(text) for text in kinds["a name, letter by letter"] if len(text) > 8][:100]
        took = [timed(partial(alike, database, name), place.rounds) for name in names]
        rows.append(row("names near a misspelt one", took, most=MOST_NEAR))
        database.close()
    return rows


def build(database: Database, count: int) -> list[float]:
    """Fill a library; how long each batch took to index."""
    took = []
    with database.writing() as connection:
        ids = fill(connection.conn, count)
    for at in range(0, count, BATCH):
        with database.writing() as connection:
            took.append(timed(partial(finding.refresh, connection.conn, ids[at : at + BATCH]), 1))
    return took


def questions(database: Database) -> Mapping[str, Sequence[str]]:
    """Some 4,000 texts, by what is asked."""
    chance = random.Random(11)
    with database.reading() as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM loras WHERE id % 97 = 0")]
        creators = [name for (name,) in connection.execute("SELECT creator FROM loras WHERE id % 997 = 0")]
    latin = chance.sample([name for name in names if name.isascii()], min(80, len(names) // 2))
    unspaced = [name for name in names if not name.isascii()][:80]
    letters = string.ascii_lowercase + string.digits
    coined = Catalogue(chance).coined
    return {
        "a name, letter by letter": distinct(typed(latin)),
        "a creator or tag, letter by letter": distinct(typed([*creators[:60], *TAGS])),
        "trigger words, letter by letter": distinct(typed(WORDS)),
        "one letter": list(letters),
        "two letters": [one + other for one in letters for other in letters],
        "two words": [f"{folding.words(name)[0]} {tag}" for name in latin for tag in chance.sample(TAGS, 4)],
        "two common words": [f"{tag} {word}" for tag in TAGS for word in chance.sample(WORDS, 5)],
        "the middle of a name": [name[at : at + size] for name in latin for at in (1, 2, 4) for size in (3, 5)],
        "the middle of a word": [coined(3, 3)[1:size] for size in (4, 5, 6) for _ in range(100)],
        "what is not there": ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(200)],
        "Chinese and Japanese": distinct([*typed(unspaced), *(name[1:3] for name in unspaced)]),
    }


def typed(texts: Sequence[str]) -> Iterator[str]:
    """What is in the field after each letter."""
    return (text[:size] for text in texts for size in range(1, len(text) + 1))


def distinct(texts: Sequence[str] | Iterator[str]) -> list[str]:
    """Each once."""
    return [*dict.fromkeys(texts)]


def misspelt(name: str) -> str:
    """Two letters change places."""
    return f"{name[:3]}{name[4]}{name[3]}{name[5:]}"


def found(database: Database, text: str) -> list[int]:
    """What the library answers."""
    with database.reading() as connection:
        return finding.find(connection, text, limit=PAGE)


def alike(database: Database, name: str) -> list[str]:
    """What the library would have called it."""
    with database.reading() as connection:
        return finding.near(connection, name)


def with_like(database: Database, text: str) -> list[int]:
    """What needs no index and no order."""
    words = folding.words(text) or [text]
    query = FLOOR.format(" AND ".join("body LIKE ?" for _ in words))
    with database.reading() as connection:
        return [key for (key,) in connection.execute(query, [f"%{word}%" for word in words])]


def timed(question: Callable[[], object], turns: int) -> float:
    """Seconds, in the fastest of so many turns."""
    took = []
    for _ in range(turns):
        started = time.perf_counter()
        question()
        took.append(time.perf_counter() - started)
    return min(took)


def percentile(took: Sequence[float]) -> float:
    """The 99th."""
    return sorted(took)[math.ceil(len(took) * 0.99) - 1]


def row(kind: str, took: Sequence[float], *, floor: float = math.nan, most: float | None = None) -> Row:
    """The line of one kind of question."""
    worst = percentile(took)
    result = f"{len(took)} asked, p50 {statistics.median(took) * 1000:.2f}, p99 {worst * 1000:.2f} ms"
    if not math.isnan(floor):
        result += f"; LIKE p99 {floor * 1000:.0f} ms"
    bars = [] if most is None else [Bar(f"≤ {most * 1000:g} ms p99", worst <= most)]
    return Row(case="find", summary=Summary(tool=kind, seconds=worst), floor=floor, result=result, bars=bars)


def indexing(batches: Sequence[float]) -> Row:
    """The line of the index."""
    middle = statistics.median(batches)
    result = f"{BATCH:,} LoRAs, {len(batches)} times; slowest {max(batches):.2f} s"
    return Row(case="find", summary=Summary(tool="indexing", seconds=middle), result=result)
