"""Questions of lesson 1."""

QUESTIONS = ()
