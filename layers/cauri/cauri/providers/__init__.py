"""Outside parties, one file each, behind the protocols in `ports`."""
