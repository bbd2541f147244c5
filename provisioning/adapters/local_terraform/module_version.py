"""Which version of the Terraform modules this is: what Terraform reads of them."""

import hashlib
from pathlib import Path


def version_of(modules: Path) -> str:
    """Return a digest of the modules' HCL; their tests and texts don't count."""
    digest = hashlib.sha256()
    for path in sorted(modules.glob("*/*.tf")):
        name, content = path.relative_to(modules).as_posix(), path.read_bytes()
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]
