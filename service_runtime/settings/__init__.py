"""What an operator may choose: documented structs, filled from defaults, file and environment.

One frozen struct stands for one subject, a service's settings are a struct of subjects, and the
same declaration gives checks, messages, documentation and the name of the environment variable.
Secrets are never values here: a setting names the file that holds one. Nothing in this folder may
know what a setting is for.
"""

from service_runtime.settings.arguments import settings_of_process
from service_runtime.settings.reading import Effective, SettingsWrong, read_settings

__all__ = ["Effective", "SettingsWrong", "read_settings", "settings_of_process"]
