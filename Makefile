# make reproduce   first results, on the network that comes with the repository
# make test        all tests, and an independent check of the binary in Python
# make check       what CI runs: format, lints, docs, then the tests
# make bench       criterion benchmarks, under five minutes
# make bench-peers [DIR=...]        whole runs against D-Wave's samplers and SciPy, 15 min; FULL=1 adds 227×227
# make bench-curves [DIR=...]       cost and energy of annealing by replicas, threads, size and sweeps, half an hour
# make bench-forward [DIR=...]      images through networks beside onnxruntime, 10 min
# make check-active DIR=/path/to/data   active subnetworks of real networks against ONNX Runtime, some minutes an image
# make fuzz-smoke  the fuzz harnesses on their corpus
# make networks DIR=/path/to/data   graphs and solutions of real networks in a folder of yours
# make verify-fixtures              stored graphs of old formats still verify, the default model is the committed one
# make clean       removes out/ and the build

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

CARGO ?= cargo
PYTHON ?= python3
TARGET := $(or $(CARGO_TARGET_DIR),target)
PIPELINE := $(TARGET)/release/pipeline
OUT := out
REPLICAS := 80
REPEATS := 3
SEED := 0
METHODS := sweep steepest anneal
NULLS := n1 n2 n3

# Runs "pipeline $(1)" and shows the command first.
run = echo "+ pipeline $(1)"; $(PIPELINE) $(1)

.PHONY: help build check check-active lint test reproduce bench bench-peers bench-curves bench-forward fuzz-smoke networks \
	verify-fixtures clean

help:
	@sed -n 's/^# //p' Makefile

build:
	$(CARGO) build --release --locked

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	$(CARGO) clippy --release --locked --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

check: lint test

test: build
	$(CARGO) test --release --locked
	$(PYTHON) python/run_all.py $(PIPELINE)

reproduce: build
	@mkdir -p $(OUT)
	@$(call run,build-graph --model fixtures/digits/digits.onnx -o $(OUT)/digits --force)
	@$(call run,inspect $(OUT)/digits)
	@$(call run,verify $(OUT)/digits --deep)
	@for method in $(METHODS); do \
	  $(call run,solve $(OUT)/digits -o $(OUT)/$$method.parquet --method $$method --replicas $(REPLICAS) --seed $(SEED) --force) | tee $(OUT)/$$method.txt; \
	done
	@for kind in $(NULLS); do \
	  $(call run,null $(OUT)/digits -o $(OUT)/$$kind.parquet --kind $$kind --method steepest --seed $(SEED) --force); \
	done
	@$(call run,active $(OUT)/digits --model fixtures/digits/digits.onnx --images fixtures/digits/images.npy -o $(OUT)/active.parquet --force)
	@echo; printf '%-10s %s\n' method 'frustration of fixtures/digits/digits.onnx, $(REPLICAS) replicas'
	@for method in $(METHODS); do printf '%-10s %s\n' $$method "$$(tail -n 1 $(OUT)/$$method.txt)"; done
	@echo; echo "the network and its null models, by steepest"
	@$(call run,compare --real $(OUT)/steepest.parquet $(NULLS:%=--null $(OUT)/%.parquet) -o $(OUT)/summary.parquet --force)
	@echo; echo "the network and the active subnetworks of 200 images, by sweep"
	@$(call run,compare --real $(OUT)/sweep.parquet --active $(OUT)/active.parquet -o $(OUT)/active-summary.parquet --force)
	@echo; $(call run,perturb $(OUT)/digits --model fixtures/digits/digits.onnx --images fixtures/digits/images.npy --replicas $(OUT)/anneal.parquet -o $(OUT)/omega.parquet --norm 0.1..10 --method anneal --n3-models 8 --seed $(SEED) --force)
	@$(call run,lambda --omega $(OUT)/omega.parquet -o $(OUT)/lambda.parquet --seed $(SEED) --force)
	@echo; echo "tables: $(OUT)/{sweep,steepest,anneal}.parquet (replicas) and .layers.parquet (where the frustrated edges are)"
	@echo "        $(OUT)/{n1,n2,n3}.parquet (null models), $(OUT)/summary.parquet (what compare printed)"
	@echo "        $(OUT)/active.parquet (active subnetworks) and .layers.parquet, $(OUT)/active-summary.parquet"
	@echo "        $(OUT)/omega.parquet (perturbed images), $(OUT)/lambda.parquet (how far the outputs follow the order)"

bench:
	$(CARGO) bench --locked --bench pipeline

# With DIR on DIR/models/squeezenet1_1.onnx, otherwise on random weights.
TRAINED = $(if $(DIR),--model $(DIR)/models/squeezenet1_1.onnx)

bench-peers: build
	@mkdir -p $(OUT)
	@$(PYTHON) python/bench_peers.py $(PIPELINE) $(TRAINED) --repeats $(REPEATS) $(if $(FULL),--full) | tee $(OUT)/bench-peers.md

bench-curves: build
	@mkdir -p $(OUT)
	@$(PYTHON) python/bench_curves.py $(PIPELINE) $(TRAINED) --repeats $(REPEATS) | tee $(OUT)/bench-curves.md

bench-forward: build
	@mkdir -p $(OUT)
	@$(PYTHON) python/bench_forward.py $(PIPELINE) $(TRAINED) --repeats $(REPEATS) | tee $(OUT)/bench-forward.md

fuzz-smoke:
	$(CARGO) test --release --locked --test fuzz_corpus

networks: build
	@test -d "$(DIR)" || { echo "usage: make networks DIR=/path/to/data" >&2; exit 2; }
	@$(PYTHON) python/networks.py $(PIPELINE) $(DIR) -o $(OUT)/networks --replicas $(REPLICAS) --seed $(SEED)

# The graph of every real network is larger than what scipy can hold at once: layer by layer, some GB and minutes an image.
check-active: build
	@test -d "$(DIR)" || { echo "usage: make check-active DIR=/path/to/data" >&2; exit 2; }
	@check="$(PYTHON) python/check_active.py --pipeline $(PIPELINE) --tolerance 1e-4"; \
	$$check --model $(DIR)/models/resnet20_cifar10.onnx --images $(DIR)/images_cifar10 --preprocess cifar10 --count 2; \
	$$check --model $(DIR)/models/squeezenet1_1.onnx --images $(DIR)/images --preprocess squeezenet1_1-caffe --count 1

verify-fixtures: build
	@$(call run,verify fixtures/format-v1/graph --deep)
	@cd fixtures/digits; sed -n 's/^| `\([a-z.]*\)` | [0-9,]* | `\([0-9a-f]\{64\}\)` |$$/\2  \1/p' README.md | sha256sum -c

clean:
	rm -rf $(OUT)
	$(CARGO) clean
