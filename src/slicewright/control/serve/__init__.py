"""From settings to a running process: what ``slicewright serve`` starts."""
