"""Terraform on this machine: the engine `local` behind the port `provisioning.ports.Terraform`."""
