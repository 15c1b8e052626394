from . import challenge as challenge
from . import exercises as exercises
from . import questions as questions
from .exercises.checking import check as check
from .exercises.checking import hint as hint
from .exercises.checking import solution as solution
from .questions.asking import question as question
