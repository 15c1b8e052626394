"""Files that tests list and damage."""


def file_names(folder):
    """Sorted names of the files and folders in a folder, except lock files."""
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def truncate(file, size=-100):
    """Keep the first bytes of a file; a negative size is the number of bytes that are removed."""
    file.write_bytes(file.read_bytes()[:size])


def flip_a_bit(file, position=None):
    """Invert a bit of the byte at a position, by default in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 1
    file.write_bytes(content)


def raising(error):
    """A function that accepts any arguments and raises an error."""

    def fail(*_, **__):
        raise error

    return fail
