"""The rules, by subject: the file, the connection, the calls, the resources, the weights.

Each rule is a pure function of what was read and says so in a value, with the lines to write. A
rule must not read a file, must not depend on another rule, and must not bite where kube-scheduler
1.37.2 does what a person would expect.
"""
