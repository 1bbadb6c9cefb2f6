#!/bin/sh
# Asks whether a forecast of two weeks of demand would have held, and beaten a naive guess.
# Options that are given are handed on: ./run.sh --report report.html
set -eu
cd "$(dirname "$0")"
synthscale forecast backtest --series demand.csv --step 1h --horizons 1h,24h \
    --models lightgbm "$@"
