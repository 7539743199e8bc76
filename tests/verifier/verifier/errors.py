"""What can be wrong with a file."""


class BadFormat(Exception):
    """The file or the command line is not in the format: status 2."""


class Finding(Exception):
    """It does not hold: status 1."""


class Unreadable(Exception):
    """A record inside cannot be decoded; who asked decides what that means."""
