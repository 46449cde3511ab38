"""Search by words over products, ranked, in spite of typing errors.

SQLite's FTS5 finds and ranks (bm25, sqlite.org/fts5.html). The words that a person types are first brought to words
that are there: as the beginning of one or, where nothing begins so, as the nearest by edits. An index holds what one
group of people may find and nothing else, so that neither ranks nor corrections tell of the rest.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from lakemesh.declarations.models import Declarations, Product

_WEIGHTS: Final = {"name": 10.0, "tables": 6.0, "columns": 3.0, "tags": 2.0, "owner": 2.0, "description": 1.0}
_WORD: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MOST_WORDS: Final = 12
"""Words of a query that are looked at."""
LONGEST_WORD: Final = 64
_ALTERNATIVES: Final = 3
"""Nearest words that stand in for a misspelt one."""


@dataclass(frozen=True)
class Hit:
    """One product that was found; the lower the rank, the better."""

    product: str
    rank: float


@dataclass(frozen=True)
class Found:
    """Products that hold every word, the best first."""

    hits: tuple[Hit, ...] = ()
    instead: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Words that nothing holds, each with those that were searched for instead; none where nothing is near."""


@dataclass(frozen=True)
class _Term:
    asked: str
    words: tuple[str, ...]
    begins: bool = False

    @property
    def match(self) -> str:
        """As FTS5 takes it: in quotes, so that nothing typed is syntax."""
        star = "*" if self.begins else ""
        return "(" + " OR ".join(f'"{word}"{star}' for word in self.words) + ")"


class Index:
    """Some products of one mesh, to be searched. Safe to use from several threads."""

    def __init__(self, declarations: Declarations, products: Iterable[Product]) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        columns = ", ".join(_WEIGHTS)
        # Words with accents are found without them.
        tokenizer = "tokenize = 'unicode61 remove_diacritics 2'"
        self._database.execute(f"CREATE VIRTUAL TABLE products USING fts5 (product UNINDEXED, {columns}, {tokenizer})")
        marks = ", ".join("?" * (len(_WEIGHTS) + 1))
        self._database.executemany(
            f"INSERT INTO products (product, {columns}) VALUES ({marks})",  # noqa: S608 - our own names
            (_row(declarations, product) for product in products),
        )
        self._database.execute("CREATE VIRTUAL TABLE words USING fts5vocab (products, row)")
        self._words: list[str] = sorted(word for (word,) in self._database.execute("SELECT term FROM words"))
        weights = ", ".join(str(weight) for weight in (0.0, *_WEIGHTS.values()))
        self._query = (
            f"SELECT product, bm25(products, {weights}) AS rank FROM products WHERE products MATCH ? "  # noqa: S608 - as above
            "ORDER BY rank, product"
        )

    def search(self, text: str) -> Found:
        """Products that hold every word of `text`, or a word near it."""
        terms = [self._term(word[:LONGEST_WORD]) for word in split(text)[:MOST_WORDS]]
        if not terms:
            return Found()
        instead = tuple((term.asked, term.words) for term in terms if not term.begins)
        if not all(term.words for term in terms):
            return Found((), tuple((asked, words) for asked, words in instead if not words))
        with self._lock:
            rows = self._database.execute(self._query, (" AND ".join(term.match for term in terms),)).fetchall()
        return Found(tuple(Hit(product, rank) for product, rank in rows), instead)

    def _term(self, word: str) -> _Term:
        plain = _plain(word)
        at = bisect_left(self._words, plain)
        if at < len(self._words) and self._words[at].startswith(plain):
            return _Term(word, (plain,), begins=True)
        near = process.extract(
            plain, self._words, scorer=DamerauLevenshtein.distance, score_cutoff=_edits(plain), limit=_ALTERNATIVES
        )
        return _Term(word, tuple(name for name, distance, _ in near if distance == near[0][1]))


def _edits(word: str) -> int:
    """Typing errors that a word may hold: a short one is another word at once."""
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2


def split(text: str) -> list[str]:
    """Words of a text: `customerNumber`, `customer_number` and `customer number` are two words each."""
    return _WORD.findall(_CAMEL.sub(" ", text))


def _plain(word: str) -> str:
    """As FTS5's tokenizer writes it: lower-case and without accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(one))


def _row(declarations: Declarations, product: Product) -> Sequence[str]:
    domain = declarations.mesh.domains[product.domain]
    columns = [column for table in product.tables for column in table.columns]
    fields: dict[str, Iterable[str]] = {
        "name": (product.name, product.title),
        "tables": (each for table in product.tables for each in (table.name, table.twin, table.description)),
        "columns": (each for one in columns for each in (one.name, one.description, one.personal_data or "")),
        "tags": {
            **product.tags,
            **{key: value for table in product.tables for key, value in table.tags.items()},
        }.values(),
        "owner": (product.domain, domain.title, domain.owner, *domain.approvers),
        "description": (product.description,),
    }
    return (product.name, *(" ".join(split(" ".join(fields[name]))) for name in _WEIGHTS))
