# `make demo` and `make test` need only Rust, a C compiler, and Python 3 with pip; the rest is set up.

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
TOOLS := $(CURDIR)/.tools
CARGO := cargo

# Where the nats-server and the ONNX Runtime are; a caller may name others.
export ATTUNE_NATS_SERVER := $(or $(ATTUNE_NATS_SERVER),$(TOOLS)/bin/nats-server)
export ORT_DYLIB_PATH := $(or $(ORT_DYLIB_PATH),$(TOOLS)/lib/libonnxruntime.so)

.PHONY: help setup demo test check fmt clippy doc bench soak
.DEFAULT_GOAL := help

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## puts nats-server and ONNX Runtime into .tools/, once
	@python3 .ci/setup

demo: setup ## builds the release and starts everything on this machine
	$(CARGO) build --locked --release
	"$(TARGET_DIR)/release/attune" dev $(ARGS)

test: fmt clippy ## the gate: format, lints, all tests, documentation
	@python3 .ci/setup --python-client --examples
	PROPTEST_RNG_SEED=$(or $(PROPTEST_RNG_SEED),1) $(CARGO) test --locked --workspace
	@$(MAKE) --no-print-directory doc

check: fmt clippy doc ## the gate without the tests

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

bench: setup ## measures throughput and latency of the whole pipeline
	$(CARGO) bench --locked --bench pipeline $(if $(ARGS),-- $(ARGS))

soak: setup ## kills a running server 200 times and checks that nothing is lost or doubled; tries every law on new cases
	ATTUNE_CRASHES=$(or $(ATTUNE_CRASHES),200) $(CARGO) test --locked --release --test it crash -- --nocapture
	for run in $$(seq $(or $(ATTUNE_LAWS),10)); do $(CARGO) test --locked --release --lib --quiet || exit 1; done
