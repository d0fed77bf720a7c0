"""The Celery app and its beat schedule. Celery wakes, it does not remember: no results, no eta, no arguments."""

from __future__ import annotations

import os
from importlib import import_module

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init

# A rehearsal, whose clock runs fast, wakes more often.
WAKE = float(os.environ.get("OUTREACH_WAKE_SECONDS", "2"))
RECOVER = float(os.environ.get("OUTREACH_RECOVER_SECONDS", "0")) or 15 * WAKE
WATCH = 300.0
TELL = 2.5 * WAKE
BROKER = os.environ.get("OUTREACH_REDIS_URL", "redis://127.0.0.1:6379/0")

app = Celery("outreach", broker=BROKER)
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_default_queue="wake",
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 2},
    timezone="UTC",
    beat_schedule={
        # `expires`: wake-ups that piled up while the workers were down are worth one, not a thousand.
        "dispatch": {"task": "workers.tasks.dispatch", "schedule": WAKE, "options": {"expires": 2 * WAKE}},
        "recover": {"task": "workers.tasks.recover", "schedule": RECOVER, "options": {"expires": RECOVER}},
        "webhooks": {"task": "workers.tasks.tell_webhooks", "schedule": TELL, "options": {"expires": 2 * TELL}},
        "watch": {"task": "workers.tasks.watch", "schedule": WATCH, "options": {"expires": WATCH}},
        "words": {"task": "workers.tasks.warn", "schedule": 15.0, "options": {"expires": 15}},
        "watch all": {
            "task": "workers.tasks.watch_all",
            "schedule": crontab(minute="10", hour="3"),
            "options": {"expires": 3600},
        },
        "lists": {"task": "workers.tasks.load_uploads", "schedule": WAKE, "options": {"expires": 2 * WAKE}},
        "drop lists": {
            "task": "workers.tasks.drop_lists",
            "schedule": crontab(minute="20"),
            "options": {"expires": 3000},
        },
        "zones": {
            "task": "workers.tasks.refresh_zones",
            "schedule": crontab(minute="40"),
            "options": {"expires": 3000},
        },
        "count": {"task": "workers.tasks.count_days", "schedule": 60.0, "options": {"expires": 60}},
        "count all": {
            "task": "workers.tasks.count_all_days",
            "schedule": crontab(minute="25", hour="3"),
            "options": {"expires": 3600},
        },
        "escalate": {"task": "workers.tasks.escalate", "schedule": 30.0, "options": {"expires": 30}},
        "silence": {"task": "workers.tasks.notice_silence", "schedule": 300.0, "options": {"expires": 300}},
        "choices": {"task": "workers.tasks.follow_choices", "schedule": 60.0, "options": {"expires": 60}},
    },
)


@worker_init.connect
def learn(**_: object) -> None:
    """The tasks are for workers alone. `include` would make the beat, which only says their names, read the whole
    project too: two seconds at each start, and half of its memory for ever."""
    import_module("workers.tasks")
