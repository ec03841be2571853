"""A network on one machine: namespaces for devices, access points and nodes, and tasks sent through a plan.

Nothing is imported here, because the processes of the bed import this package each time one starts.
"""
