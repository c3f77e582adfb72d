"""HTTP as API Gateway's HTTP APIs and Lambda's function URLs do it."""
