# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of the controller's API that can be written, with their types. Stricter than a controller, which ignores unknown fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNIFIED = "unified_job_templates"
"""Everything that a workflow node or a schedule can start."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """``kind``: of a value, in JSON. ``of``: the collection of objects that the number refers to. ``choices``: allowed values. ``null``:
    an answer has null where nothing is set."""

    kind: type = str
    required: bool = False
    of: str = ""
    choices: tuple[Any, ...] = ()
    null: bool = False

    @property
    def empty(self) -> Any:
        """The value where nothing is set."""
        return None if self.of or self.null else self.kind()

    def problem(self, value: Any) -> str:
        """Why a value is not of this type; empty if it is. Whether the object exists is not checked here."""
        if value is None:
            return "This field is required." if self.required else ""
        if type(value) is not self.kind:
            return f"Not a valid {self.kind.__name__}."
        if self.choices and value not in self.choices:
            return f'"{value}" is not a valid choice.'
        return ""


TEXT, NAME = Field(), Field(required=True)
FLAG, NUMBER, RECORD = Field(kind=bool), Field(kind=int), Field(kind=dict)


def ref(collection: str, *, required: bool = False) -> Field:
    return Field(kind=int, of=collection, required=required)


JOB_TYPE = Field(choices=("run", "check", ""))
VERBOSITY = Field(kind=int, choices=(0, 1, 2, 3, 4, 5))
ASKED = "scm_branch diff_mode variables limit tags skip_tags job_type verbosity inventory credential execution_environment labels forks"
ASKS = {f"ask_{name}_on_launch": FLAG for name in f"{ASKED} job_slice_count timeout instance_groups".split()}
ASKS_OF_WORKFLOW = {
    f"ask_{name}_on_launch": FLAG for name in "variables inventory scm_branch limit labels skip_tags tags".split()
}
PROMPTS: Mapping[str, Field] = {
    "extra_data": RECORD,
    "inventory": ref("inventories"),
    **dict.fromkeys(("scm_branch", "job_tags", "skip_tags", "limit"), TEXT),
    "job_type": JOB_TYPE,
    "diff_mode": FLAG,
    "verbosity": VERBOSITY,
    "execution_environment": ref("execution_environments"),
    **dict.fromkeys(("forks", "job_slice_count", "timeout"), NUMBER),
}
"""What a workflow node or a schedule can change of what it starts."""
COMMON = {"name": NAME, "description": TEXT}

FIELDS: Mapping[str, Mapping[str, Field]] = {
    "organizations": COMMON,
    "credential_types": {
        **COMMON,
        "kind": Field(required=True, choices=("cloud", "net")),
        "inputs": RECORD,
        "injectors": RECORD,
        "managed": FLAG,
    },
    "credentials": {
        **COMMON,
        "organization": ref("organizations"),
        "credential_type": ref("credential_types", required=True),
        "inputs": RECORD,
    },
    "execution_environments": {
        **COMMON,
        "image": NAME,
        "organization": ref("organizations"),
        "credential": ref("credentials"),
        "pull": Field(choices=("always", "missing", "never", "")),
    },
    "projects": {
        **COMMON,
        "organization": ref("organizations"),
        "scm_type": Field(choices=("", "git", "svn", "insights", "archive")),
        **dict.fromkeys(("scm_url", "scm_branch", "scm_refspec", "local_path"), TEXT),
        "credential": ref("credentials"),
        "signature_validation_credential": ref("credentials"),
        "default_environment": ref("execution_environments"),
        **{f"scm_{name}": FLAG for name in ("clean", "track_submodules", "delete_on_update", "update_on_launch")},
        "scm_update_cache_timeout": NUMBER,
        "timeout": NUMBER,
        "allow_override": FLAG,
    },
    "inventories": {
        **COMMON,
        "organization": ref("organizations", required=True),
        "kind": Field(choices=("", "smart", "constructed")),
        "host_filter": Field(null=True),
        "variables": TEXT,
        "prevent_instance_group_fallback": FLAG,
    },
    "inventory_sources": {
        **COMMON,
        "inventory": ref("inventories", required=True),
        "source": Field(required=True, choices=("file", "scm", "ec2", "vmware", "openstack", "controller")),
        "source_project": ref("projects"),
        **dict.fromkeys(("source_path", "source_vars", "scm_branch", "enabled_var", "enabled_value"), TEXT),
        **dict.fromkeys(("host_filter", "limit"), TEXT),
        "credential": ref("credentials"),
        "execution_environment": ref("execution_environments"),
        **dict.fromkeys(("overwrite", "overwrite_vars", "update_on_launch"), FLAG),
        **dict.fromkeys(("timeout", "update_cache_timeout"), NUMBER),
        "verbosity": Field(kind=int, choices=(0, 1, 2)),
    },
    "job_templates": {
        **COMMON,
        "organization": ref("organizations"),
        "job_type": Field(required=True, choices=("run", "check")),
        "inventory": ref("inventories"),
        "project": ref("projects", required=True),
        "playbook": NAME,
        "execution_environment": ref("execution_environments"),
        **dict.fromkeys(("scm_branch", "limit", "job_tags", "skip_tags", "start_at_task", "extra_vars"), TEXT),
        "host_config_key": TEXT,
        "verbosity": VERBOSITY,
        **dict.fromkeys(("forks", "timeout", "job_slice_count"), NUMBER),
        **dict.fromkeys(("force_handlers", "use_fact_cache", "survey_enabled", "become_enabled"), FLAG),
        **dict.fromkeys(("diff_mode", "allow_simultaneous", "prevent_instance_group_fallback"), FLAG),
        "webhook_service": Field(choices=("", "github", "gitlab", "bitbucket_dc")),
        "webhook_credential": ref("credentials"),
        **ASKS,
    },
    "workflow_job_templates": {
        **COMMON,
        "organization": ref("organizations"),
        "inventory": ref("inventories"),
        **dict.fromkeys(("extra_vars", "limit", "scm_branch", "job_tags", "skip_tags"), TEXT),
        **dict.fromkeys(("survey_enabled", "allow_simultaneous"), FLAG),
        "webhook_service": Field(choices=("", "github", "gitlab", "bitbucket_dc")),
        "webhook_credential": ref("credentials"),
        **ASKS_OF_WORKFLOW,
    },
    "workflow_job_template_nodes": {
        "identifier": TEXT,
        "workflow_job_template": ref("workflow_job_templates", required=True),
        UNIFIED.removesuffix("s"): ref(UNIFIED),
        "all_parents_must_converge": FLAG,
        **PROMPTS,
    },
    "workflow_approval_templates": {**COMMON, "timeout": NUMBER},
    "schedules": {
        **COMMON,
        "rrule": NAME,
        "enabled": FLAG,
        UNIFIED.removesuffix("s"): ref(UNIFIED, required=True),
        **PROMPTS,
    },
}
"""Collection of objects → its fields."""

ASSOCIATIONS: Mapping[str, Mapping[str, str]] = {
    "job_templates": {"credentials": "credentials"},
    "workflow_job_template_nodes": {
        **dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes"),
        "credentials": "credentials",
    },
}
"""Collection → list of an object → the collection of its members."""

STARTED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")
"""The collections whose objects are in UNIFIED."""

FILTERS = ("id", "name", "type", "identifier", "or__id", "or__name", "page_size")
"""What lists can be searched by, besides references."""

QUESTION_TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
QUESTION = {
    "question_name": NAME,
    "question_description": TEXT,
    "variable": NAME,
    "type": Field(required=True, choices=QUESTION_TYPES),
    "required": Field(kind=bool, required=True),
    "min": NUMBER,
    "max": NUMBER,
}
"""The keys of a question of a survey, besides ``choices`` and ``default``, whose types depend on the type of the question."""
