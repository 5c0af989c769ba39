# Thin verbs; each is a line a person could type. `make help` lists them.
BUILD := build
JOBS  ?= $(shell nproc)
OHMAC := $(BUILD)/bin/ohmac

.DEFAULT_GOAL := help
.PHONY: help setup configure build run test test-long bench campaign mutation lint generated synth-check synth synth-tiny power baseline formal netlist equivalence clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## install Debian packages and pinned wheels (INSTALL=0: only print them)
	@.ci/setup.sh

configure: setup
	@cmake -G Ninja -S . -B $(BUILD) >$(BUILD)/configure.log 2>&1 || { cat $(BUILD)/configure.log; exit 1; }

build: configure ## build build/bin/ohmac
	ninja -C $(BUILD) -j $(JOBS) ohmac

run: build ## classify real MNIST digits: rtl and fast, one table; fails if they differ in a bit
	$(OHMAC) compare --network mnist_mlp --rtl-images 250 --images 1000 --chip-seeds 20 --threads $(JOBS)

test: configure ## build everything and run the test suite
	ninja -C $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) -j $(JOBS) -LE "long|netlist" --output-on-failure --timeout 900

test-long: configure ## the long random and system suites
	ninja -C $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) -j $(JOBS) -L long --output-on-failure --timeout 7200

bench: configure ## speed: RTL with macro, stub macro, bare; idle and busy tiles; macro kernels; MVMs against BLAS; wires
	ninja -C $(BUILD) -j $(JOBS) rtl_bench macro_bench mvm_bench wire_bench ohmac
	$(BUILD)/bin/rtl_bench
	$(BUILD)/bin/macro_bench --benchmark_min_time=0.2
	$(BUILD)/bin/mvm_bench
	OPENBLAS_NUM_THREADS=1 $(BUILD)/bin/wire_bench --benchmark_min_time=0.2

campaign: configure ## faults planted: bits flipped in all state, AXI errors, stuck devices; what is seen, recovered, silent
	ninja -C $(BUILD) -j $(JOBS) fault_campaign device_campaign
	@mkdir -p $(BUILD)/campaign
	$(BUILD)/bin/fault_campaign --jobs $(JOBS) --out $(BUILD)/campaign/faults.json
	$(BUILD)/bin/device_campaign --jobs $(JOBS) --out $(BUILD)/campaign/devices.json

mutation: configure ## faults planted in RTL modules: share that the unit tests find, at least 90 % each
	build/venv/bin/python3 tb/mutation/run.py $(BUILD) --jobs $(JOBS)

lint: setup ## Verilator -Wall and verible on the RTL
	.ci/lint.sh

generated: setup ## regenerate what is generated and require no difference
	.ci/check_generated.sh

synth-check: setup ## every module through Yosys: no latch but the clock gate
	.ci/synth_check.sh

GEOMETRY ?= reference
FLOW := $(BUILD)/venv/bin/python3 constraints/flow

synth: setup ## map tile and chip to standard cells: area by block, timing, worst paths (GEOMETRY=, LIBERTY=)
	$(FLOW)/silicon.py --geometry $(GEOMETRY) $(if $(LIBERTY),--liberty $(LIBERTY))

synth-tiny: setup ## the same at the tiny geometry, for CI: fails if slower than constraints/sdc/slack.toml allows
	$(FLOW)/silicon.py --geometry tiny --check

power: configure ## energy of each digital block from recorded runs; the digital cost table (WRITE=1: constraints/costs)
	ninja -C $(BUILD) -j $(JOBS) chip_activity
	$(FLOW)/digital_table.py $(if $(WRITE),--write)

baseline: configure ## the chip beside a digital MAC core in int8 and int4: energy, area, accuracy; where analog wins (WRITE=1: constraints/costs)
	ninja -C $(BUILD) -j $(JOBS) dmac_activity ohmac
	$(FLOW)/baseline.py $(if $(WRITE),--write)

formal: setup ## prove FIFOs, arbiters, credits, AXI rules, sequencer, MVM phase rule; find planted bugs
	.ci/formal.sh --jobs $(JOBS)

netlist: configure ## map the tiny tile to gates; tests of the tile, and the chip (ohmac --fidelity netlist), on them
	ninja -C $(BUILD) -j $(JOBS) netlist
	ctest --test-dir $(BUILD) -j $(JOBS) -L netlist --output-on-failure

equivalence: configure ## prove the mapped tiny tile equal to the RTL, module by module (SECONDS each); find a planted fault
	ninja -C $(BUILD) tiny_netlist
	build/venv/bin/python3 constraints/flow/equivalence.py $(BUILD)/netlist/tiny --geometry tiny --seconds $(or $(SECONDS),60) \
	  --json $(BUILD)/netlist/tiny/equivalence.json
	build/venv/bin/python3 constraints/flow/equivalence.py $(BUILD)/netlist/tiny --geometry tiny --seconds $(or $(SECONDS),60) \
	  --fault ohmac_fifo:wptr_q --only ohmac_fifo

clean: ## remove build products, keep the installed wheels
	find $(BUILD) -mindepth 1 -maxdepth 1 ! -name venv -exec rm -rf {} +
