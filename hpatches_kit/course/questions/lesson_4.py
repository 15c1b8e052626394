"""Questions of lesson 4."""

QUESTIONS = ()
