"""The networks of problem two: the published classifiers, and the size-free one with fees for queues."""
