"""The linter of kube-scheduler's own configuration: traps that it accepts in silence, or dies of.

An extender is only as good as the file that calls it, and kube-scheduler tells nobody when that
file switches TLS verification off or drowns the extender's scores. Each rule is one pure function
of the configuration as it was read; only `commands` touches files, and nothing here may ask a
cluster: the file is judged before it is installed.
"""
