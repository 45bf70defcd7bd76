"""Those who hear, each behind the same three lines: start, hear these recordings, stop.

Seconds are from the recording to its words. hark begins with the file and decodes it, the others are
given samples. All have loaded their model and heard something before.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clips import RATE, Clip
from processes import Missing, Place, Program, cpu_s, free_port, last_line
from spoken import changes, words

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Heard:
    """What became of one recording."""

    clip: Clip
    text: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    error: str | None = None

    def row(self) -> dict[str, Any]:
        """Returns the figures, without the words."""
        said = list(self.clip.said)
        return {
            "clip": self.clip.name,
            "words": len(said),
            "wrong": len(said) if self.error else changes(said, words(self.text)),
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "error": self.error,
        }


class Ears(Protocol):
    """Hears recordings, told their language or not."""

    def hear(self, clips: list[Clip]) -> Iterator[Heard]: ...

    def stop(self) -> None: ...


class HarkEars:
    """`hark transcribe`: one process for all recordings of a language."""

    def __init__(self, hark: Path, config: Path, told: bool) -> None:
        self.hark, self.config, self.told = hark, config, told

    def hear(self, clips: list[Clip]) -> Iterator[Heard]:
        for language in sorted({clip.language for clip in clips}):
            yield from self.hear_some([clip for clip in clips if clip.language == language], language)

    def hear_some(self, clips: list[Clip], language: str) -> Iterator[Heard]:
        # The shortest is heard before all, for the model to be warm, and after all, so that the process
        # is still there when the seconds of the last one are read.
        first = min(clips, key=lambda clip: clip.seconds)
        command: list[Any] = [self.hark, "--config", self.config, "transcribe", "--json"]
        command += ["--language", language] if self.told else []
        command += [clip.sound for clip in (first, *clips, first)]
        log = self.config.with_suffix(".log")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log.open("w")) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            for clip in clips:
                cpu, wall = cpu_s(process.pid), time.perf_counter()
                line = line and process.stdout.readline()
                if not line:
                    yield Heard(clip, error=f"hark ended: {last_line(log)}")
                    continue
                wall, said = time.perf_counter() - wall, json.loads(line)
                yield Heard(clip, said["text"] or "", wall, cpu_s(process.pid) - cpu, said["error"])
            process.stdout.read()

    def stop(self) -> None:
        pass


class Rival:
    """A program in a process of Python of its own: rival.py."""

    def __init__(self, place: Place, program: str, model: Path, settings: dict[str, Any], told: bool) -> None:
        self.told, self.log = told, place.folder / f"{program}.log"
        command: list[Any] = [place.python, HERE / "rival.py", program, model, json.dumps(settings)]
        try:
            self.process = subprocess.Popen(
                command,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log.open("w"),
            )
        except OSError as error:
            raise Missing(str(error)) from error
        if problem := self.read().get("error"):
            raise Missing(problem)

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": f"ended: {last_line(self.log)}"}
        return answer

    def hear(self, clips: list[Clip]) -> Iterator[Heard]:
        for clip in clips:
            language = clip.language if self.told else None
            asked = {"sound": str(clip.samples), "language": language, "beam": 0}
            with suppress(OSError):  # it has ended: reading says so
                print(json.dumps(asked), file=self.process.stdin, flush=True)
            yield Heard(clip, **self.read())

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


class Wyoming:
    """wyoming-faster-whisper's server, asked as Home Assistant asks it: one connection a recording."""

    def __init__(self, place: Place, name: str, flags: str, told: bool) -> None:
        self.told, self.port = told, free_port()
        command = [place.python, "-m", "wyoming_faster_whisper", "--uri", f"tcp://127.0.0.1:{self.port}"]
        command += ["--model", place.ct2, "--data-dir", place.folder, *flags.split()]
        self.program = Program(name, command, place.folder, {"HF_HUB_OFFLINE": "1"})
        self.wait()
        self.transcribe(bytes(2 * RATE), "en")

    def wait(self) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                self.program.check()
                time.sleep(0.1)

    def hear(self, clips: list[Clip]) -> Iterator[Heard]:
        for clip in clips:
            samples = array("f", clip.samples.read_bytes())
            pcm = array("h", (round(max(-1.0, min(1.0, sample)) * 32767) for sample in samples)).tobytes()
            cpu, wall = self.program.cpu_s(), time.perf_counter()
            try:
                text = self.transcribe(pcm, clip.language if self.told else None)
            except (OSError, ValueError, KeyError) as error:
                yield Heard(clip, error=f"{type(error).__name__}: {error}")
                continue
            wall = time.perf_counter() - wall
            yield Heard(clip, text, wall, self.program.cpu_s() - cpu)

    def transcribe(self, pcm: bytes, language: str | None) -> str:
        """Speaks Wyoming's protocol: a line of JSON an event, and then its data and its payload."""
        form = {"rate": RATE, "width": 2, "channels": 1}
        with (
            socket.create_connection(("127.0.0.1", self.port), 120) as opened,
            opened.makefile("rwb") as line,
        ):

            def send(kind: str, data: dict[str, Any], payload: bytes = b"") -> None:
                event = {"type": kind, "data": data, "payload_length": len(payload)}
                line.write(json.dumps(event).encode() + b"\n" + payload)

            send("transcribe", {"language": language} if language else {})
            send("audio-start", form)
            for at in range(0, len(pcm), 2 * RATE):
                send("audio-chunk", form, pcm[at : at + 2 * RATE])
            send("audio-stop", {})
            line.flush()
            while True:
                event = json.loads(line.readline())
                data = event.get("data") or {}
                data |= json.loads(line.read(event.get("data_length") or 0) or b"{}")
                line.read(event.get("payload_length") or 0)
                if event["type"] == "transcript":
                    text: str = data["text"]
                    return text

    def stop(self) -> None:
        self.program.stop()
