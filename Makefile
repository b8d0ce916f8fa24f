# Cairn: the commands a person needs. Each does its own set-up; `make bootstrap` is idempotent.
# Not here: how contracts are compiled (contracts/package.json, contracts/scripts) or what the tests are.

SHELL := /bin/bash
ENV := [ -f .cargo-env ] && source ./.cargo-env || true
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
PROFILE ?= dev

.PHONY: devnet test bench check bootstrap bootstrap-tests fmt lint docs deny typos contracts-check dashboard-check test-rust test-contracts

devnet: bootstrap ## everything, real proofs
	$(ENV); cargo run --locked --bin cairn -- devnet $(ARGS)

test: bootstrap-tests test-contracts test-rust ## everything that must hold

bench: bootstrap ## table and JSON of constraints, times, memory and gas against batch size
	$(ENV); cargo run --locked --profile $(PROFILE) --bin cairn -- bench $(ARGS)

check: bootstrap fmt lint docs typos deny contracts-check dashboard-check

bootstrap:
	@scripts/bootstrap

bootstrap-tests: ## as bootstrap, and the clients that tests drive
	@scripts/bootstrap --tests

test-rust:
ifdef NEXTEST
	$(ENV); cargo nextest run --locked --workspace --cargo-profile $(PROFILE)
else
	$(ENV); cargo test --locked --workspace --profile $(PROFILE)
endif

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

typos:
	@if command -v typos >/dev/null; then typos; else echo "typos: not installed (pip install typos), skipped"; fi

deny:
	@if command -v cargo-deny >/dev/null; then cargo deny --offline check bans licenses sources; else echo "cargo-deny: not installed (cargo install cargo-deny), skipped"; fi
