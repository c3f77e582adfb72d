"""The machine under every command: plan, commit, log, ledger."""
