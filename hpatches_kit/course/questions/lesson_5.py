"""Questions of lesson 5."""

QUESTIONS = ()
