#!/usr/bin/env python3
"""Runs whole turns with real parts, and writes them as a table: run.py HARK FOLDER

Every question is spoken by hark's own voice, heard by whisper base, answered by SmolLM2 behind a
llama.cpp server, spoken as a voice note, and that note is heard again. Each turn is a process of its
own with its models loaded; the times are those of the turn alone. FOLDER keeps the notes and the table.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from spoken import changes, words  # noqa: E402

REQUIREMENTS = HERE / "requirements.txt"

QUESTIONS = [
    "What time do you open on Saturday?",
    "Can you tell me what a voice note is?",
    "I would like to send a present to my sister. What would you suggest?",
    "How long does it take to boil an egg?",
    "What is the capital of France?",
]

CONFIG = """
default_agent = "shop"

[[agents]]
name = "shop"
prompt = "You answer the phone of a small shop. It is open from nine to six, Monday to Saturday. \
Answer in one short sentence."
languages = ["en"]

[stt]
model = "base"

[llm]
engine = "openai"
url = "{url}/v1"
model = "smollm2"
max_tokens = 60
temperature = 0.0

[tts]
engine = "neural"
"""


def install(venv: Path) -> Path:
    """Installs the server and the model, unless exactly these are there; returns its Python."""
    made, python = venv / "made.txt", venv / "bin/python"
    if made.exists() and made.read_text() == REQUIREMENTS.read_text():
        return python
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    for line in REQUIREMENTS.read_text().splitlines():
        if not line.startswith("#"):
            subprocess.run([*pip, line], check=True)
    shutil.copy(REQUIREMENTS, made)
    return python


def spent(turn: dict, stage: str) -> float:
    return sum(one["end_ms"] - one["start_ms"] for one in turn["stages"] if one["name"] == stage)


def main() -> None:
    hark, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([install(folder / "venv"), HERE / "server.py"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=(folder / "server.log").open("w"))
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit(f"the server did not start: see {folder / 'server.log'}")
        config = folder / "hark.toml"
        config.write_text(CONFIG.format(url=url))

        def run(*arguments: str) -> str:
            ran = subprocess.run([hark, "--config", config, *arguments], text=True, cwd=folder,
                                 stdout=subprocess.PIPE, check=True)
            return ran.stdout

        def hear(note: str) -> dict:
            return json.loads(run("transcribe", note, "--json"))

        lines = [
            "| heard of the question | answer | hear ms | think ms | speak ms | overhead ms | note s "
            "| words of the answer heard otherwise |",
            "|---|---|--:|--:|--:|--:|--:|--:|",
        ]
        wrong = all_words = 0
        for number, question in enumerate(QUESTIONS, 1):
            asked, replied = f"question-{number}.ogg", f"reply-{number}.ogg"
            run("say", question, "-o", asked)
            turn = json.loads(run("ask", asked, "-o", replied, "--json"))
            answer = turn["reply"]["text"]
            if turn["audio"] is None:
                raise SystemExit(f"no note came of {question!r}: {turn['reason']}")
            said, heard = words(answer), words(hear(replied)["text"])
            wrong += (missed := changes(said, heard))
            all_words += len(said)
            times = [spent(turn, stage) for stage in ("stt", "llm", "tts")]
            lines.append(
                f"| {turn['transcript']['text']} | {' '.join(answer.split())} | "
                + " | ".join(f"{ms:.0f}" for ms in [*times, turn["overhead_ms"]])
                + f" | {turn['audio']['duration_ms'] / 1000:.1f} | {missed} of {len(said)} |"
            )
            print(lines[-1], flush=True)
        lines.append(f"\n{wrong} of {all_words} words of the answers were heard otherwise.")
        table = "\n".join(lines) + "\n"
        (folder / "turns.md").write_text(table)
        print(f"\n{table}\nwritten to {folder / 'turns.md'}, beside the notes")
    finally:
        server.stdin.close()
        server.wait()


main()
