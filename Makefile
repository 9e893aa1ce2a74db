# Two commands: `make demo` runs the main job with nothing else installed, `make test` proves the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
ESPHOME := 2026.6.5
BIN := $(VENV)/bin
ROOMS := metering decoders ingest anomaly billing_bridge gateway_firmware_config service

.PHONY: help demo test lint format types unit bench bench-query bench-anomaly bench-districts run kills faults kills-agent kills-billing pictures bench-billing faults-influx fuzz fuzz-lines soak-decode servers docs decoder-report clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

# The environment: uv if it is there, else venv and pip. Remade when the pinned versions change.
$(VENV)/.demo: pyproject.toml constraints.txt .ci/make-venv
	@.ci/make-venv $(PYTHON) $(VENV) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@.ci/make-venv $(PYTHON) $(VENV) -e '.[dev,postgres,influx,gateway,fleet,sftp]'
	@touch $@

demo: $(VENV)/.demo ## a small town on your screen: no server, no root, no network
	@$(BIN)/nurt demo $(ARGS)

run: $(VENV)/.demo ## ingest and web in one process, settings from nurt.toml
	@$(BIN)/nurt run $(ARGS)

test: lint types unit ## everything: environment, servers, lint, types, tests

lint: $(VENV)/.dev ## format, rules, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.dev
	$(BIN)/mypy

servers: ## install what the tests start themselves, where we may
	@tests/install-servers

esphome: $(VENV)-esphome/.made ## what checks ESPHome files, in an environment of its own: too much for ours

$(VENV)-esphome/.made:
	@$(PYTHON) -m venv $(VENV)-esphome && $(VENV)-esphome/bin/pip install --quiet esphome==$(ESPHOME) && touch $@ || \
	  echo "ESPHome cannot be installed here: the tests with it are skipped"

unit: $(VENV)/.dev servers esphome
	tests/in-two-halves $(BIN)/pytest $(ARGS)
	$(BIN)/coverage combine --quiet .coverage.servers .coverage.others
	$(BIN)/coverage report
	$(BIN)/coverage report --include='decoders/*,metering/*' --fail-under=95 >/dev/null

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev servers ## speed and memory, as a table
	$(BIN)/python -m benchmarks

bench-query: $(VENV)/.dev servers ## a year of one meter among 100 million readings in PostgreSQL; takes long, needs 30 GB
	$(BIN)/python -m benchmarks query

kills: $(VENV)/.dev servers ## kill -9 of `nurt run` 200 times under load
	NURT_KILLS=200 $(BIN)/pytest -s -q -p no:randomly tests/e2e/test_kills.py

faults-influx: $(VENV)/.dev servers ## InfluxDB away for a minute; it and the service killed 100 times
	NURT_INFLUX_KILLS=100 NURT_INFLUX_AWAY_S=60 $(BIN)/pytest -s -q -p no:randomly tests/faults/test_influx_faults.py

faults: $(VENV)/.dev servers ## workers killed 200 times, broker, PostgreSQL, disk and clock failing 20 times each
	NURT_FAULT_KILLS=200 NURT_FAULT_ROUNDS=20 $(BIN)/pytest -s -q -p no:randomly tests/faults/test_worker_faults.py tests/faults/test_server_faults.py

kills-agent: $(VENV)/.dev servers ## kill -9 of the gateway agent 100 times between dongles and broker
	NURT_AGENT_KILLS=100 $(BIN)/pytest -s -q -p no:randomly tests/gateway/test_agent_end_to_end.py

kills-billing: $(VENV)/.dev ## kill -9 of the billing process 500 times, at every commit and every send
	NURT_BILLING_KILLS=500 $(BIN)/pytest -s -q -p no:randomly --no-cov tests/faults/test_billing_kills.py

fuzz: $(VENV)/.dev ## 20 million mutated frames against the decoder
	$(BIN)/python tests/campaigns/fuzz_decode.py --frames 20000000 --seed 1

fuzz-lines: $(VENV)/.dev ## a million mutated frames as lines of a stream, each compared with its answer alone
	$(BIN)/python tests/campaigns/fuzz_decode.py --frames 1000000 --lines --seed 1

soak-decode: $(VENV)/.dev ## what `nurt decode` remembers over ten million varied telegrams
	$(BIN)/python tests/campaigns/soak_decode.py --telegrams 10000000 --seed 1

docs: $(VENV)/.demo ## the pages that are generated: meters, adapters, billing rules
	$(BIN)/nurt models --format markdown > docs/meters.md
	$(BIN)/nurt adapters --markdown > docs/adapters.md
	$(BIN)/nurt billing rules --format markdown > docs/billing-rules.md

decoder-report: $(VENV)/.demo ## docs/decoder-report.md: agreement with the shared real telegrams, per model
	$(BIN)/python benchmarks/decoder_report.py > docs/decoder-report.md

pictures: $(VENV)/.dev ## the pictures of pages in docs/images, taken anew
	NURT_PICTURES=docs/images $(BIN)/pytest -q -p no:randomly --no-cov tests/pages/test_operator_pages.py

bench-billing: $(VENV)/.dev servers ## a million registers closed on PostgreSQL: 36 million reads, half an hour in all
	NURT_BILLING_REGISTERS=1000000 $(BIN)/python benchmarks/bench_billing.py

bench-anomaly: $(VENV)/.dev ## how good the detectors are on real households: docs/anomaly-report.md
	$(BIN)/python -m benchmarks.anomaly.report

bench-districts: $(VENV)/.dev ## how good the district detector is on real inflow: docs/anomaly-districts.md
	$(BIN)/python -m benchmarks.anomaly.districts_report

clean:
	rm -rf $(VENV) $(VENV)-esphome .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
