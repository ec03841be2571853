"""The version, importable from every floor."""

__version__ = "0.2.0"


def version_of(distribution: str) -> str:
    """Version of a distribution, for what says what made it; our own is that of the sources which run.

    What pip noted of a checkout is as old as the day on which it was installed from it.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    from importlib.metadata import version

    return __version__ if distribution == "slicewright" else version(distribution)
