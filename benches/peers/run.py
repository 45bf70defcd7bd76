#!/usr/bin/env python3
"""Measures hark beside what people would use instead, in one alternating run: run.py HARK FOLDER

In every round each one that takes part hears all recordings, or answers some voice notes; who begins
changes with each round. FOLDER gets the programs, peers.json with every figure and PEERS.md, the page.
Ends with 1 if a peer was missing or something failed: the page says which, and has the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import clips as recordings
import lineup
import machine
import page
import parts
from clips import Clip
from lineup import Entry
from processes import Missing, Place, Program, free_port, server
from turns import Service, overhead_ms

ROOT = Path(__file__).resolve().parents[2]
NOTE = ROOT / "audio-fixtures/en_long.ogg"
PAUSE_S = 0.5  # between two that take part: threads of the first may still spin


class Run:
    """Holds those that take part and what came of it."""

    def __init__(self, clips: list[Clip], turns: int, problems: list[str]) -> None:
        self.clips, self.turns, self.problems = clips, turns, problems
        self.started: list[tuple[Entry, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []

    def start(self, entry: Entry, place: Place) -> None:
        say(f"starts: {entry.who} ({entry.group})")
        try:
            one = entry.start(place)
            if isinstance(one, Service) and (error := one.take_turn(NOTE)["error"]):
                one.stop()
                raise Missing(error)
        except Missing as missing:
            return self.note(entry.who, f"left out: {missing}")
        self.started.append((entry, one))

    def note(self, who: str, problem: str) -> None:
        problem = f"{who}: {problem}"
        if problem not in self.problems:
            self.problems.append(problem)
            say(problem)

    def round(self, number: int) -> None:
        count = len(self.started)
        first = number * max(1, count // 3) % max(1, count)
        for entry, one in self.started[first:] + self.started[:first]:
            time.sleep(PAUSE_S)
            began = time.monotonic()
            service = isinstance(one, Service)
            rows = self.answer(one) if service else [heard.row() for heard in one.hear(self.clips)]
            kept = self.answered if service else self.heard
            kept += [{"group": entry.group, "who": entry.who, "round": number} | row for row in rows]
            say(f"round {number + 1}: {entry.who} ({entry.group}): {time.monotonic() - began:.1f} s")
            if failed := [row for row in rows if row["error"]]:
                self.note(
                    entry.who, f"{len(failed)} of {len(rows)} failed, the first with: {failed[0]['error']}"
                )
            if len(failed) == len(rows):
                self.started.remove((entry, one))
                self.stop_one(one)

    def answer(self, service: Service) -> list[dict[str, Any]]:
        rows = []
        for _ in range(self.turns):
            rows.append(service.take_turn(NOTE))
            if rows[-1]["error"]:
                break
        return rows

    def stop(self) -> None:
        for _, one in self.started:
            self.stop_one(one)

    def stop_one(self, one: Any) -> None:
        if isinstance(one, Service):
            self.take_stages(one)
        one.stop()

    def take_stages(self, one: Service) -> None:
        """Takes over what a service says of its turns."""
        rows = [row for row in self.answered if row["service"] == one.name and not row["error"]]
        try:
            stages = one.stages() if rows else {}
            for row in rows:
                row["stages"] = stages[row["person"]]
                row["overhead_ms"] = overhead_ms(row["total_ms"], row["stages"])
        except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            self.note(one.name, f"does not say when its stages were: {error!r}")
            for row in rows:
                row["error"] = "no stages"


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("hark", type=Path)
    parser.add_argument("output", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=7, help="voice notes each service answers in a round")
    parser.add_argument("--files", type=int, help="so many recordings of a language, for a short run")
    parser.add_argument("--folder", type=Path, help="sound with .txt beside it instead of audio-fixtures")
    parser.add_argument(
        "--corpus", type=Path, help="a folder whose manifest.json names people's voice notes: these, too"
    )
    parser.add_argument("--only", choices=["ears", "turns"])
    return parser.parse_args()


def find(asked: argparse.Namespace, work: Path) -> tuple[list[Clip], list[str]]:
    found = recordings.folder((asked.folder or ROOT / "audio-fixtures").resolve())
    if asked.corpus:
        found += recordings.corpus(asked.corpus.resolve())
    return recordings.decode(recordings.thin(found, asked.files), work)


def start_stub(place: Place, port: int, problems: list[str]) -> Program | None:
    """Starts what thinks and speaks for all services; without it there are no whole turns."""
    try:
        stub = Program("stub", server(place.python, "stub", port), place.folder)
        stub.wait_for(f"{place.openai}/models")
        return stub
    except Missing as missing:
        problems.append(f"whole turns were not measured: {missing}")
        say(problems[-1])
        return None


def main() -> int:
    asked = parse()
    hark, folder = asked.hark.resolve(), asked.output.resolve()
    work = folder / "work"
    clips, problems = find(asked, work / "samples")
    venv, ct2 = folder / "venv", folder / "ct2/base"
    problems += parts.programs(venv) + parts.model(ct2)
    python = venv / "bin/python"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    ggml = Path(os.environ.get("HARK_MODELS") or home / "hark/models") / "ggml-base.bin"
    if not ggml.exists():
        raise SystemExit(f"{ggml} is not here: make official, or hark models pull base")

    about = machine.describe(hark, python, ggml)
    before = machine.spent()
    run = Run(clips, asked.turns, problems)
    port = free_port()
    place = Place(hark, python, ggml, ct2, work, f"http://127.0.0.1:{port}/v1")
    stub = start_stub(place, port, problems) if asked.only != "ears" else None
    try:
        for entry in (lineup.EARS if asked.only != "turns" else []) + (lineup.TURNS if stub else []):
            run.start(entry, place)
        for number in range(asked.rounds):
            run.round(number)
    except KeyboardInterrupt:
        run.problems.append("stopped before its end: what was measured until then follows")
    finally:
        run.stop()
        if stub:
            stub.stop()

    _, about["stolen"] = machine.shares(before, machine.spent())
    result = {
        "schema": 1,
        "machine": about,
        "rounds": asked.rounds,
        "problems": problems,
        "clips": [{"name": clip.name, "language": clip.language, "seconds": clip.seconds} for clip in clips],
        "flags": [
            {"group": one.group, "who": one.who, "flags": one.flags} for one in lineup.EARS + lineup.TURNS
        ],
        "ears": run.heard,
        "turns": run.answered,
    }
    (folder / "peers.json").write_text(json.dumps(result, indent=1))
    (folder / "PEERS.md").write_text(page.write(result))
    print(page.hearing(run.heard), page.answering(run.answered), sep="\n")
    say(f"written to {folder / 'PEERS.md'} and peers.json")
    for problem in problems:
        say(f"peers: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
