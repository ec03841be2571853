"""The control plane: slice resource orchestrator (SRO), slice managers, transports, HTTP API.

Rooms, bottom up; each imports only from those before it, and an import contract holds that::

    state/          devices, network, grants, events; the orchestrator's state and its fold
    requests/       what callers may ask for, and on whose behalf: from the state to events, or a refusal
    messages/       what travels between orchestrator and managers: statuses, measurements, details, keys
    transport/      how it travels: in memory, over NATS
    journal/        what is written down: records and their chain; memory, SQLite files, a NATS stream
    sharing/        SP1 inside one grant: the closed form, or a learned model's advice where it keeps every rule
    decision/       from a situation to grants: methods, settlement, the fallback chain, certificates, records
    slice_manager/  one slice: its state (pure) and the task that runs it
    orchestrator/   a turn (pure: events and instructions as values) and the loop that journals and carries it out
    views/          what is shown of the state: documents, metrics, explanations, dry runs, replays
    plane/          the control plane of one process
    http/           the northbound API; http/dashboard/ has the page that it serves
    serve/          from settings to a running process
"""
