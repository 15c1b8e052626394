"""Questions of lesson 8."""

QUESTIONS = ()
