"""Serve: let an endpoint answer with the champion.

It runs after the registration, so that the version exists before an endpoint asks for it.
"""

from collections.abc import Sequence

from . import about, options
from .names import ModelName
from .registry import champion_of

ENDPOINTS = "/api/2.0/serving-endpoints"
SIZE = "Small"


def main(arguments: Sequence[str] | None = None) -> None:
    """Create or update the endpoint; a fixture with a local registry only tells."""
    parser = options.parser(__doc__)
    options.add_registry(parser)
    given = options.parse(parser, arguments)
    version = champion_of(options.registry(given))
    if version is None:
        print(f"{given.model.full} has no champion yet: nothing is served")
    elif given.fixture and given.registry != options.WORKSPACE:
        print(f"{given.model.endpoint} would serve version {version}")
    else:
        done = serve(given.model, version)
        print(f"{given.model.endpoint} {done} to serve version {version}")


def serve(name: ModelName, version: int) -> str:
    """Let the endpoint of the model serve a version; returns `created` or `updated`.

    The workspace goes on by itself; until it is done the version before answers.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors import NotFound

    config = {
        "served_entities": [
            {
                "entity_name": name.full,
                "entity_version": str(version),
                "workload_size": SIZE,
                "scale_to_zero_enabled": True,
            }
        ]
    }
    api = WorkspaceClient().api_client
    try:
        api.do("GET", f"{ENDPOINTS}/{name.endpoint}")
    except NotFound:
        tags = [{"key": "project_name", "value": about.tags()["project_name"]}]
        new = {"name": name.endpoint, "config": config, "tags": tags}
        api.do("POST", ENDPOINTS, body=new)
        return "created"
    api.do("PUT", f"{ENDPOINTS}/{name.endpoint}/config", body=config)
    return "updated"


if __name__ == "__main__":
    main()
