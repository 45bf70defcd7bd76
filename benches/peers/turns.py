"""Those who answer: hark's service and the bot, each behind a simulated WhatsApp of its own.

A turn is timed by the simulator's clock, the same way for both: from the moment it posts the signed
webhook to the moment it accepts the message with the reply.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from processes import Missing, Place, Program, ask, free_port, server

NUMBER = "106540352242922"
SECRET = "peers-secret"
TOKEN = "peers-token"
PROMPT = "You answer the phone of a small shop. Answer in at most three short sentences."

LOOK_AGAIN_S = 0.1
LONGEST_S = 90
SETTLE_S = 0.3  # for what a service does after its answer

# What is not overhead. Names repeat: hark does several of these side by side.
ENGINES = {"download", "stt", "llm", "tts", "upload", "send"}

CONFIG = """
default_agent = "shop"
[server]
listen = "127.0.0.1:{port}"
admin_listen = ""
[webhook]
verify_token = "verify"
[[numbers]]
phone_number_id = "{number}"
provider = "simulator"
api_url = "{graph}"
access_token = "{token}"
app_secret = "{secret}"
[[agents]]
name = "shop"
prompt = "{prompt}"
[llm]
engine = "openai"
url = "{openai}"
model = "paced"
[queue]
burst_ms = 0
[store]
url = "{name}.db"
[stt]
{stt}
[tts]
{tts}
"""


class Service:
    """A running service and its WhatsApp; both stop with it."""

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place
        self.port, self.people = free_port(), 0
        listen = f"127.0.0.1:{free_port()}"
        self.graph = f"http://{listen}"
        flags = f"--app-secret {SECRET} --phone-number-id {NUMBER} --listen {listen}".split()
        flags += ["--webhook", f"http://127.0.0.1:{self.port}/webhook"]
        self.simulator = Program(f"{name}-simulator", [place.hark, "simulate", *flags], place.folder)
        self.program: Program | None = None

    def run(self, command: list[Any], ready: str, env: dict[str, str]) -> None:
        """Starts the service and waits until it is ready."""
        try:
            self.simulator.wait_for(f"{self.graph}/sim/conversations")
            self.program = Program(self.name, command, self.place.folder, env)
            self.program.wait_for(f"http://127.0.0.1:{self.port}/{ready}")
        except Missing:
            self.stop()
            raise

    def take_turn(self, note: Path) -> dict[str, Any]:
        """Sends a voice note from a new person and waits for the answer."""
        assert self.program is not None
        self.people += 1
        person = f"1555{self.people:07}"
        row: dict[str, Any] = {"service": self.name, "person": person, "error": None}
        cpu = self.program.cpu_s()
        try:
            sent = ask(f"{self.graph}/sim/messages", {"from": person, "file": str(note)})["id"]
            asked, reply = self.wait_for_reply(sent)
        except (Missing, OSError) as error:
            return row | {"error": str(error)}
        time.sleep(SETTLE_S)
        row |= {
            "total_ms": reply["at_ms"] - asked["at_ms"],
            "cpu_s": self.program.cpu_s() - cpu,
            "peak_mib": self.program.peak_mib(),
        }
        media, failed = reply["media"], [one for one in reply["statuses"] if one["status"] == "failed"]
        if failed or media is None or not media["voice"]:
            return row | {"error": "the answer is no voice note"}
        return row | {"note_s": media["duration_ms"] / 1000}

    def wait_for_reply(self, sent: str) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.program is not None
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            self.program.check()
            people = ask(f"{self.graph}/sim/conversations")["conversations"]
            messages = [one for person in people for one in person["messages"]]
            for reply in messages:
                if reply["reply_to"] == sent:
                    return next(one for one in messages if one["id"] == sent), reply
            time.sleep(LOOK_AGAIN_S)
        raise Missing(f"no answer in {LONGEST_S} s")

    def stages(self) -> dict[str, list[dict[str, Any]]]:
        """Returns when the stages of each person's turn began and ended, as the service itself says."""
        raise NotImplementedError

    def stop(self) -> None:
        for program in (self.program, self.simulator):
            if program:
                program.stop()


class HarkService(Service):
    """`hark serve`."""

    def __init__(self, name: str, place: Place, ears: list[str], voice: list[str]) -> None:
        super().__init__(name, place)
        for left in place.folder.glob(f"{name}.db*"):
            left.unlink()
        self.config = place.folder / f"{name}.toml"
        self.config.write_text(
            CONFIG.format(
                name=name,
                port=self.port,
                number=NUMBER,
                graph=self.graph,
                token=TOKEN,
                secret=SECRET,
                prompt=PROMPT,
                openai=place.openai,
                stt="\n".join(ears),
                tts="\n".join(voice).format(openai=place.openai),
            )
        )
        self.config.chmod(0o600)
        self.run([place.hark, "--config", self.config, "serve"], "readyz", {})

    def stages(self) -> dict[str, list[dict[str, Any]]]:
        command: list[Any] = [
            self.place.hark,
            "--config",
            self.config,
            "turns",
            "--json",
            "--limit",
            "1000000",
        ]
        lines = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        return {turn["contact"]: turn["stages"] for turn in map(json.loads, lines)}


class Bot(Service):
    """bot.py under uvicorn."""

    def __init__(self, name: str, place: Place, settings: dict[str, str]) -> None:
        super().__init__(name, place)
        told = {
            "GRAPH_URL": self.graph,
            "PHONE_NUMBER_ID": NUMBER,
            "ACCESS_TOKEN": TOKEN,
            "APP_SECRET": SECRET,
            "OPENAI_URL": place.openai,
            "MODEL": str(place.ct2),
            **settings,
        }
        env = {f"BOT_{key}": value for key, value in told.items()}
        self.run(server(place.python, "bot", self.port), "health", env)

    def stages(self) -> dict[str, list[dict[str, Any]]]:
        assert self.program is not None
        turns = map(json.loads, self.program.out.read_text().splitlines())
        return {turn["contact"]: turn["stages"] for turn in turns}


def overhead_ms(total_ms: float, stages: list[dict[str, Any]]) -> float:
    """Takes from a turn the time in which at least one engine or the network was at work."""
    covered, end = 0.0, float("-inf")
    spans = sorted((one["start_ms"], one["end_ms"]) for one in stages if one["name"] in ENGINES)
    for start, stop in spans:
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total_ms - covered
