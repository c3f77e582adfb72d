"""What is stuck past its deadline is found, and finished or compensated."""
