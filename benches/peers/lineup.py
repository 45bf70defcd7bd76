"""Who takes part, with which flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ears import Ears, HarkEars, Rival, Wyoming
from processes import Place
from turns import Bot, HarkService, Service

THREADS = 2  # of everyone where settings are equalised, as page.md says

DEFAULTS = "Each with its defaults"
ONE_BEAM = "Equalised, one beam"
FIVE_BEAMS = "Equalised, five beams"
ESPEAK = "Each with its defaults, espeak-ng speaks for both"


@dataclass(frozen=True)
class Entry:
    """One who takes part: under which heading, as what, with which flags, and how it is started."""

    group: str
    who: str
    flags: str
    start: Callable[[Place], Any]


def hark_ears(group: str, who: str, name: str, settings: list[str], told: bool) -> Entry:
    lines = ['model = "base"', *settings]

    def start(place: Place) -> Ears:
        config = place.folder / f"{name}.toml"
        config.write_text("\n".join(["[stt]", *lines]))
        return HarkEars(place.hark, config, told)

    language = ", --language" if told else ""
    return Entry(group, who, f"hark transcribe, `[stt] {'; '.join(lines)}`{language}", start)


def rival(group: str, who: str, program: str, beam: int, equal: bool) -> Entry:
    settings = {"threads": THREADS if equal else None, "beam": beam, "fallback": not equal}
    whisper_cpp = program == "pywhispercpp"

    def start(place: Place) -> Ears:
        return Rival(place, program, place.ggml if whisper_cpp else place.ct2, settings, equal)

    if whisper_cpp:
        flags = "ggml-base.bin, " + ("greedy" if beam == 1 else f"beam search, {beam} beams")
        same = f", n_threads {THREADS}, language, temperature_inc 0"
    else:
        flags = f"device cpu, compute_type int8, beam_size {beam}"
        same = f", cpu_threads {THREADS}, language, temperature 0"
    return Entry(group, who, flags + same if equal else flags, start)


def wyoming(group: str, name: str, flags: str, told: bool) -> Entry:
    flags = "--stt-library faster-whisper --compute-type int8" + flags

    def start(place: Place) -> Ears:
        return Wyoming(place, name, flags, told)

    language = ", language in each request" if told else ""
    return Entry(group, "wyoming-faster-whisper server", f"`{flags}`{language}", start)


THREAD_KEY = f"threads = {THREADS}"
FAST = ['accuracy = "fast"', THREAD_KEY]
BEST = ['accuracy = "best"', THREAD_KEY]
WHOLE = [*FAST, "cut_audio_ctx = false", 'vad = "built-in"']

EARS = [
    hark_ears(DEFAULTS, "hark", "ears", [], False),
    rival(DEFAULTS, "pywhispercpp", "pywhispercpp", 1, False),
    rival(DEFAULTS, "faster-whisper int8, beam 1", "faster-whisper", 1, False),
    rival(DEFAULTS, "faster-whisper int8, beam 5", "faster-whisper", 5, False),
    wyoming(DEFAULTS, "wyoming", "", False),
    hark_ears(ONE_BEAM, "hark", "ears-1", FAST, True),
    hark_ears(ONE_BEAM, "hark, whole window", "ears-whole", WHOLE, True),
    rival(ONE_BEAM, "pywhispercpp", "pywhispercpp", 1, True),
    rival(ONE_BEAM, "faster-whisper int8", "faster-whisper", 1, True),
    wyoming(ONE_BEAM, "wyoming-1", f" --beam-size 1 --cpu-threads {THREADS}", True),
    hark_ears(FIVE_BEAMS, "hark", "ears-5", BEST, True),
    rival(FIVE_BEAMS, "pywhispercpp", "pywhispercpp", 5, True),
    rival(FIVE_BEAMS, "faster-whisper int8", "faster-whisper", 5, True),
    wyoming(FIVE_BEAMS, "wyoming-5", f" --beam-size 5 --cpu-threads {THREADS}", True),
]

SERVER_VOICE = ['engine = "openai"', 'url = "{openai}"', 'model = "paced"']
ESPEAK_VOICE = ['engine = "espeak"']
EQUAL_EARS = [*FAST, 'language = "en"']
EQUAL_BOT = {"BEAM": "1", "THREADS": str(THREADS), "LANGUAGE": "en", "FALLBACK": "no"}


def hark_turns(group: str, name: str, settings: list[str], voice: list[str]) -> Entry:
    ears = ['model = "base"', *settings]

    def start(place: Place) -> Service:
        return HarkService(name, place, ears, voice)

    flags = f'`[stt] {"; ".join(ears)}`, `[llm] engine = "openai"`, `[tts] {voice[0]}`'
    return Entry(group, "hark serve", flags, start)


def bot(group: str, name: str, settings: dict[str, str]) -> Entry:
    def start(place: Place) -> Service:
        return Bot(name, place, settings)

    flags = "compute_type int8, beam_size " + settings.get("BEAM", "5")
    if "THREADS" in settings:
        flags += f", cpu_threads {THREADS}, language en, temperature 0"
    voice = "espeak-ng -v en-us" if "VOICE" in settings else "/v1/audio/speech, wav"
    encoder = "ffmpeg -c:a libopus -b:a 24k -application voip"
    return Entry(group, "bot.py", f"faster-whisper {flags}; {voice}; {encoder}", start)


TURNS = [
    hark_turns(DEFAULTS, "hark", [], SERVER_VOICE),
    bot(DEFAULTS, "bot", {}),
    hark_turns(ONE_BEAM, "hark-equal", EQUAL_EARS, SERVER_VOICE),
    bot(ONE_BEAM, "bot-equal", EQUAL_BOT),
    hark_turns(ESPEAK, "hark-espeak", [], ESPEAK_VOICE),
    bot(ESPEAK, "bot-espeak", {"VOICE": "espeak-ng"}),
]
