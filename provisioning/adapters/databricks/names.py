"""What a project's things are called in Databricks; the Terraform modules use the same names."""

from dataclasses import dataclass

from provisioning.project import Environment, ProjectSpec


@dataclass(frozen=True)
class Names:
    """The names within one environment."""

    spec: ProjectSpec
    environment: Environment
    catalog: str

    @staticmethod
    def group(spec: ProjectSpec) -> str:
        """Return the project's own account group."""
        return f"sciclops-{spec.name}"

    @property
    def principal(self) -> str:
        """Return the display name of the service principal."""
        return f"{self.spec.name}-{self.environment.name.lower()}"

    @property
    def scope(self) -> str:
        """Return the secret scope."""
        return self.principal

    @property
    def policy(self) -> str:
        """Return the cluster policy for jobs."""
        return f"{self.spec.name} {self.environment.name} jobs"

    @property
    def schema(self) -> str:
        """Return the full name of the schema."""
        return f"{self.catalog}.{self.spec.name.replace('-', '_')}"
