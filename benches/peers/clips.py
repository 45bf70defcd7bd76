"""The recordings that are heard: folders of sound with `.txt` beside it, and the voice notes of a corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from spoken import words  # noqa: E402

RATE = 16_000
LANGUAGES = ("de", "en", "es", "fr", "pt")
NO_SOUND = {".txt", ".md", ".json", ".sh", ".csv", ".tsv", ".py"}


@dataclass(frozen=True)
class Clip:
    """One recording."""

    name: str
    sound: Path
    samples: Path  # the same, decoded: 16 kHz, one channel, float32
    language: str
    said: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return self.samples.stat().st_size / 4 / RATE


def folder(root: Path) -> list[tuple[Path, str, str]]:
    """Finds sound with a `.txt` beside it; before a `_` its name has its language, which else is `en`."""
    found = []
    for sound in sorted(root.iterdir()):
        text = sound.with_suffix(".txt")
        if sound.suffix not in NO_SOUND and text.exists():
            code, _, _ = sound.stem.partition("_")
            found.append((sound, code if code in LANGUAGES else "en", text.read_text()))
    return found


def corpus(root: Path) -> list[tuple[Path, str, str]]:
    """Finds the voice notes that the manifest of a corpus names, without its long dialogues."""
    found = []
    for entry in json.loads((root / "manifest.json").read_text()):
        path = Path(entry["path"])
        if path.parts[0] == "speech" and path.parts[1] in LANGUAGES:
            found.append((root / path, path.parts[1], entry["transcript"]))
    return sorted(found)


def thin(found: list[tuple[Path, str, str]], most: int | None) -> list[tuple[Path, str, str]]:
    """Keeps so many of each language, as far apart as they stand."""
    by_language: dict[str, list[tuple[Path, str, str]]] = {}
    for one in found:
        by_language.setdefault(one[1], []).append(one)
    kept = []
    for every in by_language.values():
        count = len(every) if most is None else min(most, len(every))
        kept += [every[place * len(every) // count] for place in range(count)]
    return kept


def decode(found: list[tuple[Path, str, str]], work: Path) -> tuple[list[Clip], list[str]]:
    """Decodes each recording once, for those who take samples; returns what is wrong with others, too."""
    work.mkdir(parents=True, exist_ok=True)
    clips, problems = [], []
    for number, (sound, language, text) in enumerate(found):
        samples = work / f"{number}.f32"
        command: list[Any] = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", sound]
        command += ["-ac", "1", "-ar", str(RATE), "-f", "f32le", samples]
        if subprocess.run(command).returncode != 0:
            problems.append(f"{sound.name} does not decode and was left out")
        else:
            clips.append(Clip(sound.name, sound, samples, language, tuple(words(text))))
    return clips, problems
