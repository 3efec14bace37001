# The short way in. `make` builds build/cot; the rest is in scripts/.
.PHONY: all demo check soak clean
all:
	@scripts/bootstrap.sh build
	@cmake --preset release >/dev/null && cmake --build build --target cot
demo: all
	@scripts/demo.sh
check:
	@scripts/check.sh
soak:
	@scripts/soak.sh
clean:
	rm -rf build
