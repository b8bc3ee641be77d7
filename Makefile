# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Needs Python >= 3.11, git and make. Everything else is installed under .cache.
PYTHON := $(shell sh tools/find_python.sh)
LAB ?= simulator/labs/demo.yml
PORT ?= 8989
SPEED ?= 20
HOSTS ?= 10,100,1000

.DEFAULT_GOAL := help
.PHONY: help demo lab replay test long lint unit slow endurance controller conformance sanity integration package docs compat next quick-lint coverage bench docs-site release generate new-module changelog format clean

help: ## show this list
	@awk -F ':[^:]*## ' '/^[a-z -]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  make STAGE        one of: unit slow endurance controller conformance lint sanity integration package docs compat next"

demo: python ## the whole job on a simulated vCenter: plan, change, change nothing
	@env="$$($(PYTHON) -m tools.envs run)" && tree="$$($(PYTHON) -m tools.tree run)" && \
	  PATH="$$env/bin:$$PATH" ANSIBLE_COLLECTIONS_PATH="$$tree" "$$env/bin/python" -m tools.demo

define LAB_HINTS
Three things to try. In another terminal paste these lines, then the export lines further down:

  cd "$(CURDIR)"
  export PATH="@env@/bin:$$PATH" ANSIBLE_COLLECTIONS_PATH="@tree@"

1. See what is there:     ansible localhost -m directpath.vsphere.host_pci_device_info
2. See what would happen: ansible-playbook directpath.vsphere.plan -i examples/vcenter/inventory.yml
3. Make it happen:        ansible-playbook directpath.vsphere.site -i examples/vcenter/inventory.yml -e rolling_reboot_consent=true

(2 and 3 are for the demo lab. Other labs: make lab LAB=simulator/labs/home.yml)

endef
export LAB_HINTS

lab: python ## leave a simulated vCenter running; LAB=file PORT=number SPEED=factor
	@env="$$($(PYTHON) -m tools.envs run)" && tree="$$($(PYTHON) -m tools.tree run)" && \
	  echo "$$LAB_HINTS" | sed "s|@env@|$$env|; s|@tree@|$$tree|" && \
	  exec "$$env/bin/python" -m simulator --lab $(LAB) --port $(PORT) --speed $(SPEED)

replay: python ## play a run file on simulators, and show where the outcome differs; FILE=run.json.gz
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.replay "$(FILE)"

test: python ## everything, with a table at the end; SHARD=1/4 for the first of four machines
	@$(PYTHON) -m tools.ci $(if $(SHARD),--shard $(SHARD))

long: python ## before a release: thousands of random examples, an hour or more; prints its seed, SEED=number repeats it
	@seed="$(SEED)"; seed="$${seed:-$$($(PYTHON) -c 'import secrets; print(secrets.randbelow(2**32))')}" && \
	  echo "seed $$seed; to repeat the same examples: make long SEED=$$seed" && \
	  DIRECTPATH_SEED="$$seed" $(PYTHON) -m tools.ci long

lint unit slow endurance controller conformance sanity integration package docs compat next: python
	@$(PYTHON) -m tools.ci $@

quick-lint: python ## the linters that take seconds, as a hook before a commit
	@$(PYTHON) -m tools.ci ruff-check ruff-format yamllint reuse changelog generated

coverage: python ## unit tests once more, with a report of the lines no test reaches
	@env="$$($(PYTHON) -m tools.envs main)" && mkdir -p .cache/coverage && rm -f .cache/coverage/data* && \
	  "$$env/bin/coverage" run -m pytest -q -p no:cacheprovider && "$$env/bin/coverage" combine --quiet && \
	  "$$env/bin/coverage" report --show-missing

bench: python ## measure our reads and plays beside the peers'; HOSTS=10,100,1000
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m benchmarks --hosts $(HOSTS) --json .cache/bench.json

docs-site: python ## build the documentation site: .cache/docs-site/html/index.html
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.docs_site

release: python ## write the files of a release to dist/; refuses what must not be published
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.release

generate: python ## rewrite the generated tables of the READMEs
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.generate

new-module: python ## write the files of a new module: NAME=host_sriov or NAME=vm_sriov
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.new_module $(NAME)

changelog: python ## write CHANGELOG.md from changelogs/fragments for the version in galaxy.yml
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/python" -m tools.release_notes

format: python ## let ruff format the code
	@env="$$($(PYTHON) -m tools.envs main)" && "$$env/bin/ruff" format . && "$$env/bin/ruff" check --fix .

clean: ## remove everything made here, environments included
	rm -rf .cache .collections .hypothesis .mypy_cache .ruff_cache .pytest_cache tests/output dist

.PHONY: python
python:
	@test -n "$(PYTHON)"
