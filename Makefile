# The first ten minutes; everything else is in ./dev.
.PHONY: all demo test interop bench bench-registry lint

all:
	./dev build release

demo:
	./dev demo $(ARGS)

test:
	./dev test
	./dev functional

interop:
	./dev interop

bench:
	./dev bench $(ARGS)

bench-registry:
	./dev bench registry $(ARGS)

lint:
	./dev lint
