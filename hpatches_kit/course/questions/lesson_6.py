"""Questions of lesson 6."""

QUESTIONS = ()
