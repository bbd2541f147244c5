"""What a cluster policy definition may say, and the families that Databricks ships."""

import json
import re
from typing import Any

from playground.databricks.call import Json
from playground.databricks.errors import invalid

NEEDED_FIELDS: dict[str, tuple[str, ...]] = {
    "fixed": ("value",),
    "forbidden": (),
    "allowlist": ("values",),
    "blocklist": ("values",),
    "regex": ("pattern",),
    "range": ("minValue", "maxValue"),
    "unlimited": (),
}
"""Rule types to the fields of which each needs one."""
ATTRIBUTES = re.compile(
    r"(autoscale\.(min|max)_workers|autotermination_minutes|cluster_name|cluster_type"
    r"|cluster_log_conf\.(type|path|region)|custom_tags\..+|data_security_mode|dbus_per_hour"
    r"|docker_image\..+|driver_instance_pool_id|driver_node_type_id|enable_elastic_disk"
    r"|enable_local_disk_encryption|init_scripts\..+|instance_pool_id|is_single_node|kind"
    r"|node_type_id|num_workers|runtime_engine|single_user_name|spark_conf\..+"
    r"|spark_env_vars\..+|spark_version|ssh_public_keys\..+|use_ml_runtime"
    r"|workload_type\.clients\.(jobs|notebooks)|(aws|azure|gcp)_attributes\..+)"
)
"""The attribute paths of Databricks' compute policy reference."""

FAMILIES: dict[str, tuple[str, str, Json]] = {
    "job-cluster": (
        "Job Compute",
        "Use to run jobs on compute that ends with them.",
        {
            "cluster_type": {"type": "fixed", "value": "job"},
            "num_workers": {"type": "unlimited", "defaultValue": 4, "isOptional": True},
            "spark_version": {"type": "unlimited", "defaultValue": "auto:latest-lts"},
        },
    ),
    "personal-vm": (
        "Personal Compute",
        "Use with small-to-medium data or libraries like pandas and scikit-learn.",
        {
            "num_workers": {"type": "fixed", "value": 0, "hidden": True},
            "data_security_mode": {"type": "allowlist", "values": ["SINGLE_USER"]},
        },
    ),
    "power-user": (
        "Power User Compute",
        "Use for larger datasets and complex workloads that need more compute.",
        {"autotermination_minutes": {"type": "unlimited", "defaultValue": 4320}},
    ),
    "shared-compute": (
        "Shared Compute",
        "Use when several people work on the same compute.",
        {"data_security_mode": {"type": "fixed", "value": "USER_ISOLATION"}},
    ),
}
"""Policy family id to (name, description, definition)."""


def parsed(definition: str) -> Json:
    """Return the rules of a definition, or refuse it with the reason."""
    try:
        rules: Any = json.loads(definition)
    except ValueError as error:
        raise invalid(f"Cluster policy definition is not valid JSON: {error}") from error
    if not isinstance(rules, dict):
        raise invalid("Cluster policy definition must be a JSON object.")
    for attribute, rule in rules.items():
        _refuse_bad_rule(attribute, rule)
    return rules


def _refuse_bad_rule(attribute: str, rule: Any) -> None:
    if not ATTRIBUTES.fullmatch(attribute):
        raise invalid(f"Invalid cluster policy: unsupported attribute '{attribute}'.")
    kind = rule.get("type") if isinstance(rule, dict) else None
    if kind not in NEEDED_FIELDS:
        raise invalid(f"Invalid cluster policy: '{attribute}' has unknown type '{kind}'.")
    needed = NEEDED_FIELDS[kind]
    if needed and not any(name in rule for name in needed):
        raise invalid(f"Invalid cluster policy: '{attribute}' needs {' or '.join(needed)}.")
    if kind in ("allowlist", "blocklist") and not isinstance(rule["values"], list):
        raise invalid(f"Invalid cluster policy: values of '{attribute}' must be a list.")
