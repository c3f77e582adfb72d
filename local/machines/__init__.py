"""Step Functions: moto's interpreter in a process of its own, and the executions that we keep for it."""
