from . import challenge as challenge
