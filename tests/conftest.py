"""What holds for all tests: no example of a property fails for the time it takes, which kernels decide."""

from hypothesis import settings

settings.register_profile("slicewright", deadline=None)
settings.load_profile("slicewright")
