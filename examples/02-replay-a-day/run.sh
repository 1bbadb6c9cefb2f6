#!/bin/sh
# Replays a day in which twice as many pods come as the file lists, at nine tenths of full load.
# Options that are given are handed on: ./run.sh --report report.html
set -eu
cd "$(dirname "$0")"
synthscale simulate replay --pods pods.csv --nodes nodes.csv --seeds 42..46 \
    --scale 2 --jitter-days 0.25 --load 0.9 "$@"
