"""Word error rates of a model file, heard by hark itself: `python -m evaluate`.

Sentences that training never saw are spoken by voices it knows and by voices it does not, put
through what happens to a voice note, and given to `hark transcribe`: decoder, resampler, voice
detection and whisper.cpp as callers meet them. Human speech is measured where `HARK_CORPUS` names a
folder with recordings and a manifest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import assets
import voices
from corpus import WORK
from text import Stream, words

HERE = Path(__file__).parent
# How words are compared is the same for every measurement.
sys.path.insert(0, str(HERE.parents[1] / "benches"))
from spoken import changes

MODEL = HERE.parent / "hark-micro-en.bin"
SENTENCES = 300
WHOLE_WINDOW = "[stt]\ncut_audio_ctx = false\n"


@dataclass
class Said:
    """A sound file and the words in it."""

    file: Path
    text: str
    voice: str


def save(path: Path, audio: np.ndarray) -> None:
    """16-bit mono WAV of 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(voices.RATE)
        file.writeframes((np.clip(audio, -1, 1) * 32_767).astype("<i2").tobytes())


def speak(folder: Path, name: str, said: list[tuple[str, voices.Style]]) -> list[Said]:
    """Files of `said`, made once, with 0.3 s of quiet around the voice as a phone records it."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    listing = place / "said.json"
    if not listing.exists():
        made = []
        quiet = np.random.default_rng(3)
        for number, ((text, style), audio) in enumerate(zip(said, voices.speak(said))):
            if audio is None:
                continue
            audio = np.pad(audio * (0.3 / np.abs(audio).max()), int(0.3 * voices.RATE))
            audio = audio + 1e-4 * quiet.standard_normal(len(audio))
            save(place / f"{number:03}.wav", audio)
            made.append([f"{number:03}.wav", text, style.name])
        listing.write_text(json.dumps(made))
    return [Said(place / file, text, voice) for file, text, voice in json.loads(listing.read_text())]


def voice_notes(said: list[Said]) -> list[Said]:
    """The same as Ogg/Opus of 16 kbit/s, by ffmpeg."""
    notes = []
    for item in said:
        note = item.file.with_suffix(".ogg")
        if not note.exists():
            command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(item.file)]
            opus = ["-c:a", "libopus", "-b:a", "16k", "-application", "voip"]
            subprocess.run([*command, *opus, "-frame_duration", "60", str(note)], check=True)
        notes.append(Said(note, item.text, item.voice))
    return notes


def hear(hark: Path, model: Path, said: list[Said], config: str = "") -> list[dict]:
    """What `hark transcribe --json` says of every file."""
    heard: list[dict] = []
    settings = WORK / "evaluate.toml"
    settings.write_text(config)
    for start in range(0, len(said), 100):
        files = [str(item.file) for item in said[start : start + 100]]
        command = [str(hark), "transcribe", "--json", "--config", str(settings)]
        command += ["--model", str(model), *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if len(lines) != len(files):
            raise SystemExit(f"{' '.join(command[:6])} failed: {done.stderr[-2000:]}")
        heard += lines
    return heard


class Report:
    def __init__(self, hark: Path, model: Path, verbose: bool) -> None:
        self.hark, self.model, self.verbose = hark, model, verbose
        print(f"{'':44} {'WER':>7} {'words':>6}  must reach")

    def rate(self, name: str, said: list[Said], target: str, config: str = "") -> float:
        """Prints and returns the word error rate in per cent."""
        wrong = count = 0
        by_voice: dict[str, list[int]] = {}
        for item, heard in zip(said, hear(self.hark, self.model, said, config)):
            expected, got = words(item.text), words(heard["text"] or "")
            missed = changes(expected, got)
            wrong, count = wrong + missed, count + len(expected)
            tally = by_voice.setdefault(item.voice, [0, 0])
            tally[0], tally[1] = tally[0] + missed, tally[1] + len(expected)
            if self.verbose and missed:
                print(f"    {item.voice}: {item.text!r} heard as {heard['text']!r}")
        rate = 100 * wrong / max(count, 1)
        print(f"{name:44} {rate:6.2f}% {count:6}  {target}", flush=True)
        if self.verbose:
            for voice, (missed, total) in sorted(by_voice.items()):
                print(f"    {voice:40} {100 * missed / total:6.1f}%")
        return rate

    def words_heard(self, name: str, sounds: list[Said], target: str, config: str = "") -> None:
        heard = hear(self.hark, self.model, sounds, config)
        count = sum(len(words(item["text"] or "")) for item in heard)
        print(f"{name:44} {count:7} {'':6}  {target}", flush=True)


def short_answers() -> list[tuple[str, voices.Style]]:
    rng, variants = random.Random("short"), voices.espeak_variants()
    return [
        (text, voices.seen_style(rng, variants) if seen else voices.held_out_style(rng))
        for text in ("Yes.", "No.")
        for seen in (True, True, True, False)
        for _ in range(10)
    ]


def nothing(folder: Path) -> list[Said]:
    """A minute each of silence, white noise and pink noise."""
    rng, count = np.random.default_rng(5), 60 * voices.RATE
    white = rng.standard_normal(count)
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    sounds = {"silence": np.zeros(count), "white": 0.05 * white, "pink": 0.05 * pink / pink.std()}
    for name, audio in sounds.items():
        save(folder / f"{name}.wav", audio)
    return [Said(folder / f"{name}.wav", "", name) for name in sounds]


def human(corpus: Path) -> list[Said]:
    entries = json.loads((corpus / "manifest.json").read_text())
    return [
        Said(corpus / entry["path"], entry["transcript"], "human")
        for entry in entries
        if entry["path"].startswith("speech/en/") and entry.get("transcript")
    ]


def defaults(model: Path, said: list[Said]) -> float | None:
    """The error rate in per cent where another program runs whisper.cpp as it comes: timestamps, a
    window of 30 s, no voice detection. None without PyPI's pywhispercpp."""
    try:
        from pywhispercpp.model import Model
    except ImportError:
        return None
    other = Model(str(model), n_threads=1, print_progress=False, print_realtime=False)
    wrong = count = 0
    for item in said:
        heard = " ".join(segment.text for segment in other.transcribe(str(item.file)))
        expected = words(item.text)
        wrong, count = wrong + changes(expected, words(heard)), count + len(expected)
    return 100 * wrong / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--hark", type=Path, default=HERE.parent.parent / "target/release/hark")
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--verbose", action="store_true", help="every error, and rates by voice")
    args = parser.parse_args()
    assets.fetch(WORK)
    folder = WORK / f"evaluate-{args.sentences}"
    variants = voices.espeak_variants()

    def sentences(seed: str, style) -> list[tuple[str, voices.Style]]:
        rng, stream, texts = random.Random(seed), Stream(97, held_out=True), {}
        while len(texts) < args.sentences:
            texts[stream.next()] = None
        return [(text, style(rng)) for text in texts]

    seen = sentences("seen", lambda rng: voices.seen_style(rng, variants))
    seen = speak(folder, "seen", seen)
    held_out = speak(folder, "held-out", sentences("held out", voices.held_out_style))
    report = Report(args.hark, args.model, args.verbose)
    report.rate("new sentences, voices of training", seen, "<= 5 %")
    report.rate("new sentences, new voices", held_out, "<= 15 %")
    report.rate("voices of training, 16 kbit/s Opus", voice_notes(seen), "at most 3 more")
    report.rate("new voices, 16 kbit/s Opus", voice_notes(held_out), "at most 3 more")
    whole = WHOLE_WINDOW
    report.rate("voices of training, window of 30 s", seen, "at most 1 less", whole)
    report.rate("new voices, window of 30 s", held_out, "at most 1 less", whole)
    report.rate("yes and no alone, about 0.4 s", speak(folder, "short", short_answers()), "heard")
    sounds = nothing(folder)
    report.words_heard("words in a minute of silence", sounds[:1], "0")
    report.words_heard("words in a minute of noise, white and pink", sounds[1:], "0")
    other = defaults(args.model, seen[:100])
    shown = "pip install pywhispercpp" if other is None else f"{other:6.2f}%"
    print(f"{'voices of training, whisper.cpp as it comes':44} {shown}")
    if corpus := os.environ.get("HARK_CORPUS"):
        report.rate("people, any words (HARK_CORPUS/speech/en)", human(Path(corpus)), "as it is")


if __name__ == "__main__":
    main()
