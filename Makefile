# make, make install and make installcheck work as for every PostgreSQL extension:
# set PG_CONFIG to choose the server, DESTDIR to install below another root.
# `make help` lists the rest.

PG_CONFIG ?=
DESTDIR ?=
export PG_CONFIG DESTDIR

# The demo and the benchmarks drive the extension as it will be installed.
HARNESS = cargo run -q --release -p harness --bin

all: ## build the extension (release), installing nothing
	@devtools/setup
	@devtools/build

install: ## install it into PG_CONFIG's folders (below DESTDIR)
	@devtools/build --install

installcheck: ## regression and isolation tests on the running server (PGHOST, PGPORT, PGUSER)
	@devtools/regress

test: ## every test, on private servers under target/; TIERS="fmt crates ..." for some
	@devtools/test $(TIERS)

FUZZ_SECONDS ?= 60
fuzz: ## hostile bytes to every decoder, FUZZ_SECONDS (60) each; needs a nightly toolchain
	@devtools/fuzz $(FUZZ_SECONDS)

demo: ## three servers, load, an outage, a crash, proofs and a forgery; leaves the servers up
	@devtools/setup
	@devtools/build --stage
	@cargo build -q --release -p auditor
	@$(HARNESS) demo

demo-stop: ## stop the demo's servers and remove them
	@$(HARNESS) demo -- stop

bench: ## speed beside plain tables, native logical replication and other libraries, as ratios of one run
	@devtools/setup
	@devtools/build --stage
	@$(HARNESS) bench
	@$(MAKE) --no-print-directory bench-types bench-ledger bench-compare

bench-types: ## the CRDT types beside other libraries; BCRDT_TRACES names a folder of editing traces
	@cargo bench -q --manifest-path benches/peers/Cargo.toml --bench types

bench-ledger: ## the Merkle log and signatures beside other libraries and bare hashing
	@cargo bench -q --manifest-path benches/peers/Cargo.toml --bench ledger

bench-compare: ## finding out where two copies of a table differ, beside negentropy
	@cargo bench -q --manifest-path benches/peers/Cargo.toml --bench compare

clean: ## remove what was built here (cargo-pgrx stays)
	@devtools/clean

distclean: ## remove all of target/
	@devtools/clean --all

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: all install installcheck test fuzz demo demo-stop bench bench-types bench-ledger bench-compare clean distclean help
