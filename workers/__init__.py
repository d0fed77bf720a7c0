"""Celery: wakes the pump; remembers nothing."""
