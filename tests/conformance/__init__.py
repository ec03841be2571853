"""What every implementation of an interface promises, once per interface; the tests beside it name the implementations.

Policies and placement methods have theirs in ``slicewright.testing``, because packages of others use it too.
"""
