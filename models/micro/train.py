"""Trains the model: `python -m train --minutes 120`.

Starts on the shards that `corpus` has made so far and takes up new ones as they come. The learning
rate warms up, holds, and falls over the last part of the time; a checkpoint is written every few
minutes and an interrupted run goes on from it. On a GPU when there is one.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, distributed, multiprocessing

from corpus import WORK, shard_path
from mel import SPAN
from model import Size, Whisper
from text import words
from tokens import (
    EOT, NO_SPEECH, NO_TIMESTAMPS, SOT, VOCABULARY, Tokenizer, pronunciations, time_token,
)  # fmt: skip

PEAK_RATE, WARM_UP_STEPS = 2e-3, 600
# Of the time, what the learning rate takes to fall to nothing.
FALL = 0.4
# Encoder positions in a batch.
POSITIONS = 4_000


def context(frames: int) -> int:
    """Encoder positions for a note of so many mel frames: 50 a second, 8 more, in sixteens."""
    return min(-(-(-(-(frames - 2) // 2) + 8) // 16) * 16, 1_500)


@dataclass
class Example:
    frames: np.ndarray  # (n, 80) uint8, a view into its shard
    floor: float
    end: float  # where speech ends, s
    text: str
    offset: int = 0  # where the batch at hand puts it, in frames


class Corpus:
    """The shards in memory, about 36 MB each, sorted into batches of like length."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.loaded, self.examples = folder, 0, []

    def ready(self) -> int:
        """How many shards there are, from the first on without a gap."""
        return next(n for n in range(10_000) if not shard_path(self.folder, n).exists())

    def load(self, shards: int) -> None:
        for number in range(self.loaded, shards):
            path = shard_path(self.folder, number)
            with np.load(path) as shard:
                frames, texts = shard["frames"], shard["texts"].tolist()
                floors, ends = shard["floors"].tolist(), shard["ends"].tolist()
                starts = np.concatenate([[0], np.cumsum(shard["lengths"])])
                for at, text in enumerate(texts):
                    part = frames[starts[at] : starts[at + 1]]
                    floor, end = floors[at], ends[at]
                    self.examples.append(Example(part, floor, end, text))
        self.loaded = max(self.loaded, shards)

    def epoch(self, rng: random.Random) -> list[list[Example]]:
        """Batches, every example once, in random order; a share of them joined into long notes."""
        order = self.examples[:]
        rng.shuffle(order)
        joined = [join(order.pop() for _ in range(rng.choice((2, 3, 4, 6))))
                  for _ in range(len(order) // 40)]  # fmt: skip
        # Nobody may speak for a long time as well.
        noises = [example for example in self.examples if not example.text]
        joined += [join(rng.choices(noises, k=rng.choice((2, 4, 8))))
                   for _ in range(len(noises) // 8)]  # fmt: skip
        order += [example for example in joined if len(example.frames) <= 2_900]
        # Like lengths together, or most of a batch is padding; the jitter mixes them.
        order.sort(key=lambda example: len(example.frames) * rng.uniform(0.9, 1.1))
        batches, batch, longest = [], [], 0
        for example in order:
            longest = max(longest, context(len(example.frames)))
            if batch and longest * (len(batch) + 1) > POSITIONS:
                batches.append(batch)
                batch, longest = [], context(len(example.frames))
            batch.append(example)
        batches.append(batch)
        rng.shuffle(batches)
        return batches


def join(examples) -> Example:
    """Several notes one after the other, as the first one's spectrogram would show them."""
    examples = list(examples)
    floor, parts, end, at = examples[0].floor, [], 0.0, 0
    for example in examples:
        parts.append(example.frames)
        if example.text:
            end = at / 100 + example.end
        at += len(example.frames)
    text = " ".join(example.text for example in examples if example.text)
    return Example(np.concatenate(parts), floor, end, text)


class Batches:
    """Turns examples into tensors, differently each time."""

    def __init__(self, tokenizer: Tokenizer, device: torch.device) -> None:
        self.used = tokenizer.used()
        self.place = {token: place for place, token in enumerate(self.used)}
        self.tokenizer, self.device = tokenizer, device
        self.sounds = pronunciations()
        phonemes = sorted({sound for sounds in self.sounds.values() for sound in sounds})
        self.phoneme = {sound: place for place, sound in enumerate(phonemes, 1)}

    def mel(self, batch: list[Example], kind: float, rng: random.Random) -> Tensor:
        """(B, 80, 2 T): shifted in level, warped in frequency, with stretches blanked out.

        `kind`, from 0 to 1, chooses the window: seldom all 30 s, sometimes far more than is
        needed, else the note's. Shortens `batch` where the window is long.
        """
        longest = max(context(len(example.frames)) for example in batch)
        if kind < 0.01:  # ten times as slow
            longest = 1_500
            del batch[3:]
        elif kind < 0.05:
            longest = max(longest, rng.choice((256, 384, 512, 768)))
            del batch[max(POSITIONS // longest, 1) :]
        elif kind < 0.4:
            longest = min(longest + 16 * rng.randrange(6), 1_500)
        mel = np.empty((len(batch), 2 * longest, 80), np.float32)
        for row, example in zip(mel, batch):
            frames = example.frames
            # Speech may stand anywhere in a long window, so that every position learns.
            example.offset = offset = 0
            if kind < 0.05 and example.text and rng.random() < 0.5:
                example.offset = offset = rng.randrange(max(2 * longest - len(frames) - 16, 1))
            values = frames.astype(np.float32) * (SPAN / 255)
            if rng.random() < 0.5:
                values = values @ warp(rng.uniform(0.9, 1.11))
            self._blank(values, rng)
            row[:] = max(example.floor + rng.uniform(-0.2, 0.1), -1.5)
            row[offset : offset + len(values)] += values[: 2 * longest - offset]
        return torch.from_numpy(mel).transpose(1, 2).contiguous().to(self.device)

    @staticmethod
    def _blank(values: np.ndarray, rng: random.Random) -> None:
        mean = float(values.mean())
        if rng.random() < 0.6:
            for _ in range(rng.randrange(3)):
                low = rng.randrange(72)
                values[:, low : low + rng.randrange(1, 11)] = mean
        if rng.random() < 0.5 and len(values) > 100:
            for _ in range(rng.randrange(1 + len(values) // 100)):
                start = rng.randrange(len(values) - 10)
                values[start : start + rng.randrange(1, 9)] = mean

    def tokens(self, batch: list[Example], rng: random.Random) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, L) as places; -1 where nothing is to be learnt."""
        rows, goals = [], []
        for example in batch:
            said = self.tokenizer.encode(f" {example.text}") if example.text else []
            if rng.random() < 0.25:
                start = time_token(example.offset / 100)
                end = [time_token(example.offset / 100 + example.end)] if said else []
                row = [SOT, start, *said, *end, EOT]
            else:
                row = [SOT, NO_TIMESTAMPS, *said, EOT]
            row = [self.place[token] for token in row]
            goal = row[1:]
            if not said and rng.random() < 0.5:
                goal[0] = self.place[NO_SPEECH]
            # A wrong word before must not make the next one wrong: listen, do not guess.
            for at in range(2, len(row) - 1):
                if rng.random() < 0.15:
                    row[at] = rng.randrange(len(self.used))
            rows.append(row[:-1])
            goals.append(goal)
        length = max(map(len, rows))
        pad = self.place[EOT]
        inputs = torch.tensor([row + [pad] * (length - len(row)) for row in rows])
        targets = torch.tensor([goal + [-1] * (length - len(goal)) for goal in goals])
        return inputs.to(self.device), targets.to(self.device)

    def phonemes(self, batch: list[Example]) -> tuple[Tensor, Tensor]:
        """CTC targets, all in a row, and how many belong to each example."""
        spelled = [
            [self.phoneme[sound] for word in words(example.text) for sound in self.sounds[word]]
            for example in batch
        ]
        return (
            torch.tensor([place for row in spelled for place in row], device=self.device),
            torch.tensor([len(row) for row in spelled], device=self.device),
        )


def warp(factor: float) -> np.ndarray:
    """(80, 80) that moves every mel bin to `factor` times its place: another vocal tract."""
    source = np.clip(np.arange(80) / factor, 0, 79)
    low = np.minimum(source.astype(int), 78)
    matrix = np.zeros((80, 80), np.float32)
    matrix[low, np.arange(80)] += 1 - (source - low)
    matrix[low + 1, np.arange(80)] += source - low
    return matrix


def losses(
    model: Whisper, batches: Batches, batch: list[Example], kind: float, rng: random.Random
) -> tuple[Tensor, Tensor]:
    """Cross-entropy a token and CTC a phoneme; `kind` chooses the window."""
    batch = batch[:]
    mel = batches.mel(batch, kind, rng)
    inputs, targets = batches.tokens(batch, rng)
    with torch.autocast(mel.device.type, torch.bfloat16):
        audio = model.encoder(mel)
        logits = model.decoder(inputs, audio)
        sounds = model.ctc(audio)
    # Rows of unused tokens are zero in the file: their logits are 0, and all compete as one.
    others = torch.full_like(logits[..., :1], math.log(VOCABULARY - logits.shape[-1]))
    logits = torch.cat([logits, others], -1).float()
    words_loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
    spelled, counts = batches.phonemes(batch)
    sounds = sounds.float().log_softmax(-1).transpose(0, 1)
    lengths = torch.full_like(counts, sounds.shape[0])
    ctc = F.ctc_loss(sounds, spelled, lengths, counts, reduction="sum", zero_infinity=True)
    return words_loss, ctc / counts.sum().clamp(min=1)


def learning_rate(step: int, done: float) -> float:
    """`done` is the share of the time that has passed."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return PEAK_RATE * warm * min(1.0, max((1 - done) / FALL, 0.003))


def parameters(model: Whisper) -> list[dict]:
    decayed = [p for p in model.parameters() if p.dim() > 1]
    kept = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": decayed, "weight_decay": 0.02}, {"params": kept, "weight_decay": 0.0}]


def reduce(model: Whisper, spent: float) -> float:
    """Averages the gradients, and the seconds spent, over all processes. Returns the seconds."""
    gradients = [p.grad for p in model.parameters()]
    # The token rows that no process used have a gradient as well: the matrix is the softmax's.
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [torch.tensor([spent])])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
    return float(flat[-1])


def run(rank: int, processes: int, args: argparse.Namespace) -> None:
    """One process of the training; each has the whole model and every `processes`-th batch."""
    torch.manual_seed(11)
    parent = os.getppid()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if processes > 1:
        # Two processes of one thread are twice as fast as one of two: the matrices are small.
        torch.set_num_threads(1)
        place = f"file://{args.checkpoint}.meeting-{args.meeting}"
        distributed.init_process_group("gloo", place, rank=rank, world_size=processes)
    batches = Batches(Tokenizer(WORK), device)
    model = Whisper(Size(), len(batches.used), len(batches.phoneme)).to(device)
    optimizer = torch.optim.AdamW(parameters(model), PEAK_RATE, betas=(0.9, 0.98))
    step, spent, epoch = 0, 0.0, 0
    if args.checkpoint.exists():
        saved = torch.load(args.checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, spent, epoch = saved["step"], saved["spent"], saved["epoch"]
        print(f"going on at step {step}, {spent / 60:.0f} minutes", flush=True)
    corpus = Corpus(WORK / "corpus")

    def save() -> None:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        state |= {"step": step, "spent": spent, "epoch": epoch}
        partial = args.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(args.checkpoint)

    total, saved_at, sums, counted, seen = args.minutes * 60, spent, np.zeros(2), 0, 0
    while spent < total:
        shards = torch.tensor(corpus.ready())
        if processes > 1:
            distributed.all_reduce(shards, distributed.ReduceOp.MIN)
        corpus.load(int(shards))
        if not corpus.examples:
            raise SystemExit(f"no shards in {corpus.folder}: run `python -m corpus` first")
        # Another order after an interruption, or the first examples would be seen twice as often.
        name = f"epoch {epoch} from step {step}"
        every = corpus.epoch(random.Random(name))
        # The same for all, so that long windows, which are slow, come to all at the same time.
        windows, rng = random.Random(f"{name} windows"), random.Random(f"{name} {rank}")
        for at in range(rank, len(every) - processes + 1 + rank, processes):
            batch = every[at]
            if processes > 1 and os.getppid() != parent:
                raise SystemExit("the main process is gone")
            started = time.monotonic()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, spent / total)
            word_loss, ctc_loss = losses(model, batches, batch, windows.random(), rng)
            optimizer.zero_grad(set_to_none=True)
            (word_loss + ctc_loss).backward()
            if processes > 1:
                spent = reduce(model, spent)
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if not math.isfinite(norm):
                raise SystemExit(f"step {step}: the gradients are {norm}")
            optimizer.step()
            step, spent = step + 1, spent + time.monotonic() - started
            sums, counted = sums + (word_loss.item(), ctc_loss.item()), counted + 1
            seen += len(batch) * processes
            if rank == 0 and step % 100 == 0:
                word, ctc = sums / counted
                print(f"step {step} {spent / 60:.1f} min words {word:.3f} phonemes {ctc:.3f} "
                      f"examples {seen} of {len(corpus.examples)}", flush=True)  # fmt: skip
                sums, counted = np.zeros(2), 0
            if rank == 0 and (spent - saved_at > 180 or spent >= total):
                save()
                saved_at = spent
            if spent >= total:
                break
        epoch += 1
    if rank == 0:
        print(f"{args.checkpoint}: {step} steps, {spent / 60:.0f} minutes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="of training in all")
    parser.add_argument("--checkpoint", type=Path, default=WORK / "checkpoint.pt")
    cores = 1 if torch.cuda.is_available() else os.cpu_count()
    parser.add_argument("--processes", type=int, default=cores, help="default: one a core")
    args = parser.parse_args()
    if args.processes > 1:
        args.meeting = os.getpid()
        multiprocessing.spawn(run, (args.processes, args), args.processes)
    else:
        run(0, 1, args)


if __name__ == "__main__":
    main()
