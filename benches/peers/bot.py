"""Answers WhatsApp voice notes as most do it in Python: the peer that `make bench-peers` calls the bot.

    uvicorn bot:app

Nothing in it is slow on purpose. The model is loaded and warm, one HTTP client keeps its connections,
ffmpeg reads and writes pipes, what blocks has a thread of its own. A line of JSON on stdout for each
turn says when each stage began and ended, in milliseconds from the arrival of the webhook.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

# No model is looked for elsewhere.
os.environ["HF_HUB_OFFLINE"] = "1"

import httpx
import numpy as np
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from faster_whisper import WhisperModel

PROMPT = "You answer the phone of a small shop. Answer in at most three short sentences."


def setting(name: str, default: str | None = None) -> str:
    value = os.environ.get(f"BOT_{name}", default)
    if value is None:
        sys.exit(f"BOT_{name} is not set")
    return value


GRAPH = setting("GRAPH_URL", "https://graph.facebook.com") + "/" + setting("GRAPH_VERSION", "v25.0")
NUMBER = setting("PHONE_NUMBER_ID")
TOKEN = {"Authorization": "Bearer " + setting("ACCESS_TOKEN")}
SECRET = setting("APP_SECRET").encode()
VERIFY_TOKEN = setting("VERIFY_TOKEN", "verify")
OPENAI = setting("OPENAI_URL")
MODEL = setting("MODEL")
BEAM = int(setting("BEAM", "5"))
THREADS = int(setting("THREADS", "0"))  # 0 is faster-whisper's default
LANGUAGE = setting("LANGUAGE", "") or None
FALLBACK = setting("FALLBACK", "yes") == "yes"  # hear doubtful words again at higher temperatures
VOICE = setting("VOICE", "openai")  # or "espeak-ng"

DECODE = "ffmpeg -hide_banner -loglevel error -i pipe:0 -f s16le -ac 1 -ar 16000 pipe:1"
ENCODE = (
    "ffmpeg -hide_banner -loglevel error -i pipe:0 -c:a libopus -b:a 24k -application voip -ac 1 "
    "-f ogg pipe:1"
)
ESPEAK = "espeak-ng -v en-us --stdout"


@dataclass
class Turn:
    """Takes the times of one turn."""

    contact: str
    began: float
    stages: list[dict[str, Any]] = field(default_factory=list)

    def now_ms(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start_ms = self.now_ms()
        yield
        self.stages.append({"name": name, "start_ms": start_ms, "end_ms": self.now_ms()})

    def report(self, error: str | None = None) -> None:
        line = {"contact": self.contact, "stages": self.stages, "total_ms": self.now_ms(), "error": error}
        print(json.dumps(line), flush=True)


def load() -> WhisperModel:
    """Loads the model and lets it hear a silent second, so that the first caller does not wait."""
    loaded = WhisperModel(MODEL, device="cpu", compute_type="int8", cpu_threads=THREADS)
    hear(loaded, np.zeros(16_000, dtype=np.float32))
    return loaded


def hear(whisper: WhisperModel, samples: np.ndarray) -> str:
    options: dict[str, Any] = {} if FALLBACK else {"temperature": 0.0}
    segments, _ = whisper.transcribe(samples, beam_size=BEAM, language=LANGUAGE, **options)
    return " ".join(segment.text.strip() for segment in segments)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.whisper = load()
    async with httpx.AsyncClient(timeout=60) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/webhook")
def verify(request: Request) -> PlainTextResponse:
    asked = request.query_params
    if asked.get("hub.verify_token") != VERIFY_TOKEN:
        raise HTTPException(403)
    return PlainTextResponse(asked.get("hub.challenge", ""))


@app.post("/webhook")
async def webhook(request: Request, background: BackgroundTasks) -> dict[str, str]:
    began = time.perf_counter()
    body = await request.body()
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        raise HTTPException(401)
    for message in messages(json.loads(body)):
        if message["type"] == "audio":
            background.add_task(answer, message, Turn(message["from"], began))
    return {"status": "ok"}


def messages(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in body["entry"]:
        for change in entry["changes"]:
            yield from change["value"].get("messages", [])


async def answer(message: dict[str, Any], turn: Turn) -> None:
    try:
        await speak_with(message, turn)
        turn.report()
    except Exception as error:
        traceback.print_exc()
        turn.report(f"{type(error).__name__}: {error}")


async def speak_with(message: dict[str, Any], turn: Turn) -> None:
    with turn.stage("download"):
        sound = await download(message["audio"]["id"])
    with turn.stage("decode"):
        samples = np.frombuffer(await run(DECODE, sound), np.int16).astype(np.float32) / 32768
    with turn.stage("stt"):
        heard = await asyncio.to_thread(hear, app.state.whisper, samples)
    with turn.stage("llm"):
        words = await think(heard)
    with turn.stage("tts"):
        speech = await (say(words) if VOICE == "openai" else run(ESPEAK, words.encode()))
    with turn.stage("encode"):
        note = await run(ENCODE, speech)
    with turn.stage("upload"):
        media = await upload(note)
    with turn.stage("send"):
        await send(message, media)


async def run(command: str, given: bytes) -> bytes:
    """Runs a program on bytes."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command.split(), stdin=pipe, stdout=pipe)
    made, _ = await process.communicate(given)
    if process.returncode != 0:
        raise RuntimeError(f"{command.split()[0]} ended with {process.returncode}")
    return made


async def call(method: str, url: str, **more: Any) -> httpx.Response:
    response: httpx.Response = await app.state.client.request(method, url, **more)
    return response.raise_for_status()


async def download(media: str) -> bytes:
    about = (await call("GET", f"{GRAPH}/{media}", headers=TOKEN)).json()
    return (await call("GET", about["url"], headers=TOKEN)).content


async def think(heard: str) -> str:
    asked = [{"role": "system", "content": PROMPT}, {"role": "user", "content": heard}]
    response = await call("POST", f"{OPENAI}/chat/completions", json={"model": "any", "messages": asked})
    words: str = response.json()["choices"][0]["message"]["content"]
    return words


async def say(words: str) -> bytes:
    asked = {"model": "any", "voice": "alloy", "input": words, "response_format": "wav"}
    return (await call("POST", f"{OPENAI}/audio/speech", json=asked)).content


async def upload(note: bytes) -> str:
    response = await call(
        "POST",
        f"{GRAPH}/{NUMBER}/media",
        headers=TOKEN,
        data={"messaging_product": "whatsapp", "type": "audio/ogg"},
        files={"file": ("reply.ogg", note, "audio/ogg; codecs=opus")},
    )
    media: str = response.json()["id"]
    return media


async def send(message: dict[str, Any], media: str) -> None:
    await call(
        "POST",
        f"{GRAPH}/{NUMBER}/messages",
        headers=TOKEN,
        json={
            "messaging_product": "whatsapp",
            "to": message["from"],
            "context": {"message_id": message["id"]},
            "type": "audio",
            "audio": {"id": media, "voice": True},
        },
    )
