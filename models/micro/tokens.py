"""Whisper's English tokenizer (GPT-2's byte pairs), and the few tokens this model uses."""

from __future__ import annotations

import base64
import re
import subprocess
from functools import lru_cache
from pathlib import Path

from text import Grammar

VOCABULARY = 51_864
EOT, SOT, NO_SPEECH, NO_TIMESTAMPS, TIMES = 50_256, 50_257, 50_361, 50_362, 50_363
# Timestamps are taught in tenths of a second, every fifth of whisper's.
TIME_STEP = 5

_SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+")


class Tokenizer:
    def __init__(self, assets: Path) -> None:
        lines = (assets / "gpt2.tiktoken").read_text().split("\n")
        pairs = (line.split() for line in lines if line)
        self.ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
        self.bytes = {rank: token for token, rank in self.ranks.items()}
        self.encode_part = lru_cache(None)(self._encode_part)

    def encode(self, text: str) -> list[int]:
        return [token for part in _SPLIT.findall(text) for token in self.encode_part(part)]

    def decode(self, tokens: list[int]) -> str:
        """The text of `tokens`, special ones left out."""
        return b"".join(self.bytes[t] for t in tokens if t < EOT).decode(errors="replace")

    def _encode_part(self, part: str) -> list[int]:
        pieces = [bytes([byte]) for byte in part.encode()]
        while len(pieces) > 1:
            ranked = [
                (self.ranks.get(left + right, VOCABULARY), at)
                for at, (left, right) in enumerate(zip(pieces, pieces[1:]))
            ]
            rank, at = min(ranked)
            if rank == VOCABULARY:
                break
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        return [self.ranks[piece] for piece in pieces]

    def used(self) -> list[int]:
        """The tokens that this model may say, sorted: the grammar's words, ends and times."""
        found = {EOT, SOT, NO_SPEECH, NO_TIMESTAMPS}
        found.update(range(TIMES, TIMES + 1_501, TIME_STEP))
        for word in Grammar().vocabulary():
            found.update(self.encode(f" {word}"), self.encode(f" {word[:1].upper()}{word[1:]}"))
        for mark in (".", ",", "?"):
            found.update(self.encode(mark))
        return sorted(found)


def time_token(seconds: float) -> int:
    return TIMES + TIME_STEP * round(min(max(seconds, 0.0), 30.0) * 50 / TIME_STEP)


def pronunciations() -> dict[str, list[str]]:
    """The phonemes of every word of the grammar, as espeak-ng says them, without stress."""
    vocabulary = Grammar().vocabulary()
    lines = "".join(f"{word}.\n\n" for word in vocabulary)
    command = ["espeak-ng", "-v", "en-us", "-q", "--ipa", "--sep=_", lines]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in said.splitlines() if line.strip()]
    if len(lines) != len(vocabulary):
        raise RuntimeError(f"espeak-ng said {len(lines)} of {len(vocabulary)} words")
    return {
        word.lower(): [part for part in re.split(r"[_\s]+", re.sub("[ˈˌ]", "", line)) if part]
        for word, line in zip(vocabulary, lines)
    }
