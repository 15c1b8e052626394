from .anchor_swap import AnchorSwapTriplet as AnchorSwapTriplet
from .hard_negative import HardNegativeTriplet as HardNegativeTriplet
from .hynet import HyNetLoss as HyNetLoss
from .random_negative import RandomNegativeTriplet as RandomNegativeTriplet
from .sosnet import SOSNetLoss as SOSNetLoss
from .ssim_and_mae import SSIMAndMAE as SSIMAndMAE
from .triplet import TripletMargin as TripletMargin
