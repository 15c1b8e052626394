"""Questions of lesson 2."""

QUESTIONS = ()
