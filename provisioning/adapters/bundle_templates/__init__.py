"""Real `databricks bundle init` templates, rendered in pure Python, without the CLI.

The language is Go's `text/template`; the layout, the helper functions and the questions are those
of bundle templates. Nothing is written: a rendering is a mapping of safe relative paths to bytes.
"""

from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.bundle_templates.bugs import TemplateError
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.bundle_templates.rendering import render_bundle

__all__ = ["BundleContext", "BundleTemplates", "TemplateError", "render_bundle"]
