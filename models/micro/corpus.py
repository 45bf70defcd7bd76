"""Synthesises the training set: `python -m corpus --shards 56`.

A shard is a thousand utterances and some noises, written as mel spectrograms of two augmented
views each. Shards are made in order, each from its own seed, and one that exists is kept: an
interrupted run goes on, and training may start on the first shards while more are made.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import assets
import voices
from augment import Noises, nothing_said, view
from mel import Mel, MelSpectrogram
from text import Stream

UTTERANCES, NOISES, VIEWS = 1_000, 30, 2
WORK = Path(os.environ.get("HARK_MICRO_WORK", Path.home() / ".cache" / "hark" / "micro"))


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:04}.npz"


def make_shard(folder: Path, number: int) -> str:
    """Makes one shard; returns a line that says what it holds."""
    started = time.monotonic()
    rng, chance = np.random.default_rng([7, number]), random.Random(f"styles {number}")
    noises, mel = Noises(rng), MelSpectrogram(WORK)
    stream, variants = Stream(number, held_out=False), voices.espeak_variants()
    said = [(stream.next(), voices.training_style(chance, variants)) for _ in range(UTTERANCES)]
    mels: list[Mel] = []
    texts: list[str] = []
    ends: list[float] = []

    def keep(audio: np.ndarray, text: str, end: float) -> None:
        mels.append(mel(audio))
        texts.append(text)
        ends.append(end)

    silent = 0
    for (text, _), audio in zip(said, voices.speak(said)):
        if audio is None or len(audio) > 25 * voices.RATE:
            silent += 1
            continue
        for _ in range(VIEWS):
            heard, end = view(audio, noises, rng)
            keep(heard, text, end)
    for _ in range(NOISES * VIEWS):
        keep(nothing_said(noises, rng), "", 0.0)
    path = shard_path(folder, number)
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        frames=np.concatenate([item.frames for item in mels]),
        lengths=np.array([len(item.frames) for item in mels], np.int32),
        floors=np.array([item.floor for item in mels], np.float32),
        ends=np.array(ends, np.float32),
        texts=np.array(texts),
    )
    partial.rename(path)
    hours = sum(len(item.frames) for item in mels) / 360_000
    took = time.monotonic() - started
    return f"{path.name}: {len(mels)} views, {hours:.2f} h, {silent} left out, {took:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=56, help="a thousand utterances each")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    args = parser.parse_args()
    assets.fetch(WORK)
    folder = WORK / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    todo = [n for n in range(args.shards) if not shard_path(folder, n).exists()]
    with ProcessPoolExecutor(args.processes) as pool:
        for line in pool.map(make_shard, [folder] * len(todo), todo):
            print(line, flush=True)


if __name__ == "__main__":
    main()
