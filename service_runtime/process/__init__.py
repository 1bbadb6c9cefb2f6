"""How a service starts, becomes ready and ends: parts in order, one exit code, no task left behind.

A service composes its parts in one function that can be read, and hands them over; order, signals,
limits and exit codes are the same for all services. Nothing here may know what a part is for.
"""

from service_runtime.process.endings import Ending
from service_runtime.process.execute import execute
from service_runtime.process.part import Part
from service_runtime.process.readiness import Readiness
from service_runtime.process.runner import run_service
from service_runtime.process.settings import ProcessSettings

__all__ = ["Ending", "Part", "ProcessSettings", "Readiness", "execute", "run_service"]
