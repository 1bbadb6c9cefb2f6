"""Bundled fleets and workloads, generated from published shape statistics by our own code.

They exist so that every command can be tried with nothing but this repository, and so that a demo
shows the troubles of a real shared GPU cluster: mixed node sizes, pods that ask for parts of a GPU,
lifetimes with a long tail. The recipes and their sources: docs/explanation/bundled-workloads.md.
A recipe must not hold a row of anybody's trace, and it is a function of its arguments alone.
"""
