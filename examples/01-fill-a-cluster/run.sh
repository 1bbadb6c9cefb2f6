#!/bin/sh
# Fills a small cluster with its own kind of pods, beyond its size, under four policies.
# Options that are given are handed on: ./run.sh --report report.html
set -eu
cd "$(dirname "$0")"
synthscale simulate placement --pods pods.csv --nodes nodes.csv --seeds 42..51 "$@"
