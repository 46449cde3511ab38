"""From a name to words: `custFirstName2`, `KUNDEN_VORNAME` and `homephone` speak of the same things.

Names are folded (accents, case), cut at separators and humps, and what is left as one lump (`socialsecuritynumber`) is
cut into words of the vocabulary. Work is bounded by `MAX_NAME` characters, whatever the name is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

MAX_NAME: Final = 160
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"}
)
_SEPARATED: Final = re.compile(r"[^\W_]+")
_PIECE: Final = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_a-zA-Z]+")
STOP: Final = frozenset(("of", "the", "and", "or", "der", "die", "das", "des", "de", "du", "del", "della", "di", "do"))
"""Words that join others: `date_of_birth` is a birth date."""
_MIN_LUMP: Final = 5
_MAX_WORD: Final = 26


def fold(text: str) -> str:
    """Without accents; the case is kept."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def split(name: str) -> tuple[str, ...]:
    """Lower-case pieces of a name at separators, humps and digits."""
    return tuple(piece.lower() for piece in _PIECE.findall(fold(name[:MAX_NAME])))


def segment(lump: str, words: Collection[str]) -> tuple[str, ...] | None:
    """`lump` as the fewest words of the vocabulary, or None. No word of two letters except at the end (`id`, `no`)."""
    size = len(lump)
    best: list[tuple[str, ...] | None] = [()] + [None] * size
    for end in range(2, size + 1):
        for start in range(max(0, end - _MAX_WORD), end - 1):
            before = best[start]
            word = lump[start:end]
            if before is None or word not in words or (end - start < 3 and end < size):
                continue
            known = best[end]
            if known is None or len(before) + 1 < len(known):
                best[end] = (*before, word)
    return best[size]


def words_of(name: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """The words of a name; numbers of one or two digits (`address2`) only count the column, so they are dropped."""
    result: list[str] = []
    for part in _SEPARATED.findall(fold(name[:MAX_NAME])):
        lower = part.lower()
        if lower in vocabulary:  # before humps are cut: "DoB" and "eMail" are one word
            result.append(lower)
        elif lower not in STOP:
            result.extend(_pieces(part, vocabulary))
    return tuple(result)


def _pieces(part: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    result: list[str] = []
    for piece in split(part):
        if piece.isdigit() and len(piece) <= 2:
            continue
        if piece in vocabulary or len(piece) < _MIN_LUMP or len(piece) > 48:
            result.append(piece)
        else:
            result.extend(segment(piece, vocabulary) or (piece,))
    return tuple(result)
