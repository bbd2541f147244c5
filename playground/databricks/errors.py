"""How Databricks refuses: three error formats (API, SCIM, OAuth), each with its HTTP status."""

from typing import Any

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class RefusalError(Exception):
    """A request that Databricks would not do; carries the answer it gives instead."""

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def api_error(status: int, code: str, message: str) -> RefusalError:
    """Return an error of the REST API."""
    return RefusalError(status, {"error_code": code, "message": message})


def invalid(message: str) -> RefusalError:
    """Return the error of a value that the API does not take."""
    return api_error(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> RefusalError:
    """Return the error of a thing that does not exist."""
    return api_error(404, "RESOURCE_DOES_NOT_EXIST", message)


def denied(message: str) -> RefusalError:
    """Return the error of a caller without the right."""
    return api_error(403, "PERMISSION_DENIED", message)


def catalog_error(status: int, reason: str, message: str) -> RefusalError:
    """Return an error of Unity Catalog, which repeats its code as an `ErrorInfo` detail."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "unity-catalog.databricks.com",
        "metadata": {},
    }
    return RefusalError(status, {"error_code": reason, "message": message, "details": [info]})


def scim_error(status: int, detail: str, scim_type: str = "") -> RefusalError:
    """Return an error in the format of RFC 7644, section 3.12."""
    body = {"schemas": [SCIM_ERROR], "detail": detail, "status": str(status)}
    return RefusalError(status, body | ({"scimType": scim_type} if scim_type else {}))


def oauth_error(status: int, error: str, description: str) -> RefusalError:
    """Return an error in the format of RFC 6749, section 5.2."""
    return RefusalError(status, {"error": error, "error_description": description})
