"""Questions of lesson 3."""

QUESTIONS = ()
