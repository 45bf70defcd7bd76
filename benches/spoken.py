"""Compares words that were heard with words that were said."""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    """Splits a text into words without capitals and punctuation."""
    return re.findall(r"[\w']+", text.lower().replace("’", "'"))


def changes(said: list[str], heard: list[str]) -> int:
    """Counts the words to change, insert or leave out."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
