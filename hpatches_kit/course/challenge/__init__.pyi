from .dealing.making import make as make
from .marking.scoring import score as score
from .submissions.checks import check_submission as check_submission
from .submissions.checks import save_submission as save_submission
from .submissions.model_cards import MODEL_CARD as MODEL_CARD
