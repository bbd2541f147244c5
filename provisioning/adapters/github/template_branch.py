"""The branch for template output follows a changed specification; people merge it into `main`."""

from collections.abc import Mapping

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.starter import TEMPLATE_BRANCH, StarterCode
from provisioning.adapters.github.verification import blob_sha

REF = f"heads/{TEMPLATE_BRANCH}"


class TemplateBranch:
    """`sciclops/template` of one repository, e.g. `/repos/acme/ada-7`."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._code = StarterCode(connection, path)

    def follow(self, before: Mapping[str, bytes], after: Mapping[str, bytes], message: str) -> str:
        """Make the branch hold what comes after, in one commit; return where it is then.

        Nothing if it holds neither: then another version of the template has made it.
        """
        found = self._connection.get(f"{self._path}/git/ref/{REF}")
        if found is None:
            return ""
        head = str(found["object"]["sha"])
        there = self._files(head)
        if there == _shas(after):
            return head
        if there != _shas(before):
            return ""
        commit = self._code.commit(after, message, parent=head)
        self._code.move(REF, commit)
        return commit

    def _files(self, commit: str) -> dict[str, str] | None:
        tree = self._connection.get(f"{self._path}/git/trees/{commit}?recursive=1")
        if tree is None or tree["truncated"]:
            return None
        return {entry["path"]: entry["sha"] for entry in tree["tree"] if entry["type"] != "tree"}


def _shas(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: blob_sha(content) for path, content in files.items()}
