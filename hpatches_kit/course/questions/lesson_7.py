"""Questions of lesson 7."""

QUESTIONS = ()
