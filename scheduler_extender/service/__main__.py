"""`python -m scheduler_extender.service [--settings FILE]`: the extender without the front door.

It exists for containers and tests that want one process and its exit code, and nothing else.
Everything is elsewhere; nothing may be added here.
"""

from __future__ import annotations

import os
import sys

from scheduler_extender.service.process import NAME, serve_extender
from scheduler_extender.service.settings import ServiceSettings
from service_runtime.process import execute
from service_runtime.settings import settings_of_process

if __name__ == "__main__":
    sys.exit(
        execute(
            NAME,
            lambda: serve_extender(settings_of_process(ServiceSettings, sys.argv[1:], os.environ)),
        )
    )
