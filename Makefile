# Node comes with `make setup` (image/node), whatever the machine has; npm runs under the machine's own.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

MACHINE_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
NODE := node_modules/.bin/node
INSTALLED := node_modules/.installed
SOURCES := $(shell find bin src supply-chain -type f -not -name '*.test.ts')

.PHONY: help setup up test e2e node check audit format generate docs docs-serve recording screenshots image sbom release artifacts bench clean

help: ## List what can be run
	@printf 'Omnia runs AI agents that are declared as Kubernetes resources.\n\n'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@printf '\nARGS passes arguments on: make up ARGS="-f examples/echo --port 9000"\n'

setup: dist/omnia.js ## Install the packages into node_modules and build the program

$(INSTALLED): package.json package-lock.json image/node/package.json .npmrc
	@command -v npm >/dev/null || { echo "npm is not here: install Node.js (any version brings npm), then try again" >&2; exit 1; }
	@echo "Installing packages into node_modules (about half a minute, once)"
	@PATH='$(MACHINE_PATH)' npm ci --include=dev --ignore-scripts --loglevel=error
	@test -x $(NODE) || { echo "npm installed no Node.js: image/node/package.json names none for this kind of machine, or \"omit\" in the settings of npm leaves out optional packages" >&2; exit 1; }
	@touch $@

dist/omnia.js: $(INSTALLED) rolldown.config.ts tsconfig.json $(SOURCES)
	@echo "Building the program and the console into dist"
	@rolldown --config rolldown.config.ts --log-level warn >/dev/null
	@touch $@

up: setup ## Run agents on this machine: the quickstart agent, which needs no key, unless ARGS says otherwise
	@exec ./omnia up $(ARGS)

test: setup ## Run every test, with a real Redis, model server and Kubernetes API server
	@test/support/prepare
	@echo "Running the tests"
	@vitest run $(ARGS)

e2e: setup ## Run the tests on a real node of Kubernetes, which they bring up on this machine (Linux, root)
	@if ! test/node/missing-parts | grep -q .; then \
	  test/node/node-install >/dev/null && test/support/kubernetes/metrics-server-build >/dev/null && \
	  test/support/kubernetes/keda-install programs >/dev/null; fi
	@vitest run --project node $(ARGS)

node: setup ## Run a Kubernetes of one node on this machine until Ctrl-C (Linux, root)
	@exec test/node/run-node

check: setup ## Check types, lint, format, dead code, which part imports which, and advisories
	@echo "Types"; tsc -p .; tsc -p src/console
	@echo "Lint"; oxlint --deny-warnings
	@echo "Format"; oxfmt --check
	@echo "Dead code"; knip
	@echo "Imports"; node test/support/documents/house-rules.ts
	@$(MAKE) --no-print-directory audit

audit: setup ## Check for known weaknesses of the packages in the bundle
	@echo "Advisories"; PATH='$(MACHINE_PATH)' $(NODE) supply-chain/audit.ts

format: setup ## Format the sources
	@oxfmt

generate: setup ## Write what the Helm chart and the documentation have from the sources
	@node charts/generate.ts
	@node docs/generate.ts

docs: setup ## Build the website of the documentation into site/dist
	@echo "Building the website (its packages are fetched once)"
	@node site/build-site.ts

docs-serve: docs ## Build the website, and show it on loopback
	@exec node site/serve-folder.ts site/dist $(ARGS)

screenshots: setup ## Take the screenshots of README and docs from the running program, into docs/images
	@node test/pictures/take-screenshots.ts

recording: setup ## Record `make up` and a first answer, into docs/images
	@node test/pictures/record-first-answer.ts

image: setup ## Build the container image, without Docker, into omnia-image.tar
	@node image/build-image.ts

sbom: setup ## Write what the bundle is made of into omnia-sbom.json, in the format of CycloneDX
	@cp dist/sbom.cdx.json omnia-sbom.json

release: setup ## Release VERSION: write it into the files, build the artifacts, commit, tag. DRY_RUN=1: build only
	@PATH='$(MACHINE_PATH)' $(NODE) release/release.ts '$(VERSION)' $(if $(DRY_RUN),--dry-run)

artifacts: setup ## Build what a release consists of into release/out: image, chart, npm package, checksums, signature
	@PATH='$(MACHINE_PATH)' $(NODE) release/release.ts --artifacts

bench: setup ## Measure, as ratios to a floor that is measured in the same run
	@node bench/bench.ts $(ARGS)

clean: ## Remove what was installed and built
	@rm -rf node_modules dist site/dist release/out omnia-image.tar omnia-sbom.json
