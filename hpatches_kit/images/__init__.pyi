from .builtin import photograph as photograph
from .keypoints import detect_keypoints as detect_keypoints
from .reading import read_grey as read_grey
from .sequences import ImageSequence as ImageSequence
from .sequences import read_sequence as read_sequence
from .virtual_sequences import lighting_sequence as lighting_sequence
from .virtual_sequences import viewpoint_sequence as viewpoint_sequence
