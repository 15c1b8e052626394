"""Deal the patches: photographs become shuffled patches without labels, and a secret key."""
