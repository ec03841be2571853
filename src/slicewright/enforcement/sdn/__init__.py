"""Placement as an application of an SDN controller: OpenFlow 1.3 on os-ken, requests over HTTP.

Nothing is imported here: os-ken is an extra, and all but ``openflow`` and ``launcher`` works without it.
"""
