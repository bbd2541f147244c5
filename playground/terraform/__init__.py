"""The Terraform providers: true schemas, acting on the stand-in GitHub and Databricks."""
