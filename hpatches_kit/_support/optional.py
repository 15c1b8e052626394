"""Optional packages, imported when they are needed."""


def import_opencv(what):
    """Import OpenCV. Raises ImportError, which says how to install it, for the sake of `what`."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(f"{what} needs OpenCV: pip install opencv-python-headless") from error
    return cv2
