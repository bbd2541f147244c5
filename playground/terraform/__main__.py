"""The resident provider process: `python -m playground.terraform`.

It talks in lines of JSON with the process that started it: on stdin first its settings
(credentials never travel in argv), then answers; on stdout where it listens, then questions. When
stdin closes, its parent is gone and it ends.
"""

import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import grpc

from playground.terraform import logins
from playground.terraform.parent import Parent
from playground.terraform.served import DATABRICKS, GITHUB
from playground.terraform.service import ProviderService

THREADS = 64


def listen(service: ProviderService, port: int) -> tuple[grpc.Server, int]:
    """Serve one provider on a loopback port; 0 takes any."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS),
        handlers=[service.handler()],
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)],
    )
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def main() -> None:
    """Serve both providers until the parent is gone."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings = json.loads(sys.stdin.readline())
    app, client = settings["github_app"], settings["databricks_client"]
    credentials = logins.Credentials((app[0], app[1], app[2]), (client[0], client[1]))
    parent = Parent()
    ports, servers = {}, []
    for source, connect in ((GITHUB, logins.github), (DATABRICKS, logins.databricks)):
        bound = partial(connect, credentials=credentials, now=parent.now)
        service = ProviderService(source, bound, parent.verdict)
        server, ports[source.address] = listen(service, settings["ports"].get(source.address, 0))
        servers.append(server)  # a server that nobody holds stops serving
    parent.tell(ports=ports)
    parent.hear()


if __name__ == "__main__":
    main()
