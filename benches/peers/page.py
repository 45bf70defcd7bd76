"""Writes what came of a run as a page in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from machine import BUSY

Rows = list[dict[str, Any]]

STAGES = ("download", "decode", "stt", "llm", "tts", "encode", "upload", "send")
HERE = Path(__file__).resolve().parent
NOTHING = "Not measured in this run.\n"


def write(result: dict[str, Any]) -> str:
    clips = result["clips"]
    return Template((HERE / "page.md").read_text()).substitute(
        machine=machine(result),
        clips=len(clips),
        seconds=f"{sum(clip['seconds'] for clip in clips):.0f}",
        languages=", ".join(sorted({clip["language"] for clip in clips})),
        rounds=result["rounds"],
        hearing=hearing(result["ears"]),
        turns=answering(result["turns"]),
        losses=losses(result),
        flags=flags(result),
    )


def hearing(rows: Rows) -> str:
    return "\n".join(f"**{group}**\n\n{table(of, EARS)}" for group, of in groups(rows)) or NOTHING


def answering(rows: Rows) -> str:
    tables = (f"**{group}**\n\n{table(of, TURNS)}\n{stages(of)}" for group, of in groups(rows))
    return "\n".join(tables) or NOTHING


def machine(result: dict[str, Any]) -> str:
    about = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    lines = [
        f"- {about['day']}, {about['cores']} cores of {about['processor']}; before the run: load "
        f"{about['load']:.2f}, {about['busy']:.0%} busy; stolen by other machines during it: "
        f"{about['stolen']:.1%}",
        f"- {about['hark']}; {about['model']['name']}, SHA-256 `{about['model']['sha256']}`",
        f"- {'; '.join(filter(None, [packages, ', '.join(about['programs'])]))}",
    ]
    if about["busy"] > BUSY:
        lines.append(
            "- **The machine was busy with something else**: proportions are a hint, and figures are nothing."
        )
    lines += [f"- **{problem}**" for problem in result["problems"]]
    return "\n".join(lines) + "\n"


def table(rows: Rows, columns: list[Column]) -> str:
    titles = [title for one in columns for title in ([one.title, "× hark"] if one.compared else [one.title])]
    lines = ["| | " + " | ".join(titles) + " |", "|---|" + "--:|" * len(titles)]
    ours = hark_of(rows)
    for who, of in groups(rows, "who"):
        cells = []
        for column in columns:
            cells.append(column.show(of))
            if column.compared:
                cells.append(f"{column.figure(of) / column.figure(ours):.2f}" if whole(of) and ours else "")
        lines.append(f"| {who} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def stages(rows: Rows) -> str:
    """Shows where the time goes; what hark does side by side counts more than once."""
    lines = ["| ms of work, median | " + " | ".join(STAGES) + " |", "|---|" + "--:|" * len(STAGES)]
    for who, of in groups(rows, "who"):
        spent = [
            [
                sum(one["end_ms"] - one["start_ms"] for one in row["stages"] if named(one) == stage)
                for row in whole(of)
            ]
            for stage in STAGES
        ]
        lines.append(
            f"| {who} | " + " | ".join(f"{statistics.median(ms):.0f}" if ms else "" for ms in spent) + " |"
        )
    return "\n".join(lines) + "\n"


def named(stage: dict[str, Any]) -> str:
    """Counts looking for a voice, which hark does while it decodes, as decoding."""
    name: str = stage["name"]
    return "decode" if name == "vad" else name


def losses(result: dict[str, Any]) -> str:
    """Names everything in which somebody was better than hark."""
    lines = []
    for rows, columns in ((result["ears"], EARS), (result["turns"], TURNS)):
        for group, of in groups(rows):
            others = [
                (who, theirs) for who, theirs in groups(of, "who") if not is_hark(who) and whole(theirs)
            ]
            ours = hark_of(of)
            for column in columns if ours else ():
                own = column.figure(ours)
                better = [
                    f"{who} {column.show(theirs)}" for who, theirs in others if column.figure(theirs) < own
                ]
                if column.judged and better:
                    where = group[0].lower() + group[1:]
                    lines.append(f"- {column.title}, {where}: {', '.join(better)}; hark {column.show(ours)}")
    return ("\n".join(lines) or "Nowhere in these tables.") + "\n"


def flags(result: dict[str, Any]) -> str:
    lines = ["| | | what it was given |", "|---|---|---|"]
    measured = {(row["group"], row["who"]) for row in result["ears"] + result["turns"]}
    lines += [
        f"| {one['group']} | {one['who']} | {one['flags']} |"
        for one in result["flags"]
        if (one["group"], one["who"]) in measured
    ]
    return "\n".join(lines) + "\n"


def groups(rows: Rows, key: str = "group") -> Iterable[tuple[str, Rows]]:
    """Splits rows by a key, hark's first."""
    found: dict[str, Rows] = {}
    for row in sorted(rows, key=lambda row: not is_hark(row["who"])):
        found.setdefault(row[key], []).append(row)
    return found.items()


def is_hark(who: str) -> bool:
    return who.startswith("hark")


def hark_of(rows: Rows) -> Rows:
    """Returns the rows of hark, without a second form of it; none if all of them failed."""
    who = next((row["who"] for row in rows if is_hark(row["who"])), None)
    ours = [row for row in rows if row["who"] == who]
    return ours if whole(ours) else []


def whole(rows: Rows) -> Rows:
    return [row for row in rows if not row["error"]]


def middle(key: str) -> Callable[[Rows], float]:
    return lambda rows: float(statistics.median(row[key] for row in whole(rows)))


def mean(key: str) -> Callable[[Rows], float]:
    return lambda rows: float(statistics.mean(row[key] for row in whole(rows)))


def high(key: str) -> Callable[[Rows], float]:
    """Returns the 95th percentile, by the nearest rank."""

    def figure(rows: Rows) -> float:
        values = sorted(float(row[key]) for row in whole(rows))
        return values[-(-95 * len(values) // 100) - 1]

    return figure


def most(key: str) -> Callable[[Rows], float]:
    return lambda rows: float(max(row[key] for row in whole(rows)))


def wer(rows: Rows) -> float:
    """Computes the errors in 100 words, over all rows: who failed has every word wrong."""
    return float(100 * sum(row["wrong"] for row in rows) / max(1, sum(row["words"] for row in rows)))


@dataclass(frozen=True)
class Column:
    """One column: its figure, whether its ratio to hark's stands beside it, and whether less is better."""

    title: str
    figure: Callable[[Rows], float]
    form: str
    compared: bool = False
    judged: bool = True

    def show(self, rows: Rows) -> str:
        return self.form.format(self.figure(rows)) if whole(rows) else "failed"


EARS = [
    Column("WER", wer, "{:.1f}"),
    Column("s a note, median", middle("wall_s"), "{:.2f}", compared=True),
    Column("CPU s a note", mean("cpu_s"), "{:.2f}", compared=True),
]
TURNS = [
    Column("turns", lambda rows: len(whole(rows)), "{}", judged=False),
    Column("total ms, p50", middle("total_ms"), "{:.0f}", compared=True),
    Column("p95", high("total_ms"), "{:.0f}"),
    Column("own overhead ms, p50", middle("overhead_ms"), "{:.0f}", compared=True),
    Column("CPU s a turn", mean("cpu_s"), "{:.2f}", compared=True),
    Column("memory MiB", most("peak_mib"), "{:.0f}"),
    Column("note s", middle("note_s"), "{:.1f}", judged=False),
]
