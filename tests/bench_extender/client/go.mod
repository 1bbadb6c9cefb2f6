module synthscale.dev/tests/bench_extender/client

go 1.24
