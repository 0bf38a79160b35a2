"""One module a task, named as the task."""
