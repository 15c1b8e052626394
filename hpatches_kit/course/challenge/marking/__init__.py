"""Mark submissions: checked arrays and the secret key become scores, ranks and notes."""
