#!/usr/bin/env bash
# CLIF test files: ours always, the reference's when the suites are there; each file also has to print to a fixed point. The
# counts per kind of test and folder go to the conformance page, with the names of the files in which something is skipped.
# What runs native code does so with both allocators, checked, and again with random allocation (CLIF_STRESS: the seeds).
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot
mkdir -p "$BUILD/conformance"
tsv=$BUILD/conformance/clif.tsv passed=0 failed=0 skipped=0
: >"$tsv"
run() { # run NAME FOLDER
    local out
    out=$("$COT" test --reasons --exceptions "$ROOT/tests/filetests/exceptions.tsv" "$2")
    echo "-- $2"
    echo "$out" | sed '$d' # the closing line is summed here
    echo "$out" | awk -v group="$1" '
        $3 == "files" { printf "CLIF tests, %s\t%s\t%d\t%d\t0\t\n", $1, group, $4, $6 }
        $1 == "skipped" { kind = $2; count = $3; reason = $0; sub(/^skipped +[^ ]+ +[0-9]+ +/, "", reason) }
        $1 == "in" {
            files = $0; sub(/^ *in /, "", files)
            printf "CLIF tests, %s\t%s\t0\t0\t%d\t%s\t%s\n", kind, group, count, reason, files }' >>"$tsv"
    read -r p f s < <(echo "$out" | tail -1 | awk '{ print $1, $3, $5 }')
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
# stressed FOLDER…: native code alone, with each seed
stressed() {
    local kind seed out
    for kind in run compare; do
        for seed in ${CLIF_STRESS:-1 2 3 4}; do
            out=$("$COT" test --only $kind --stress "$seed" --exceptions "$ROOT/tests/filetests/exceptions.tsv" "$@")
            read -r p f < <(echo "$out" | awk -v kind=$kind '$1 == kind { p = $4 } END { print p + 0, $3 }')
            [ "$f" = 0 ] || echo "$out" | grep error
            echo "-- $kind --stress $seed: $p passed, $f failed"
            passed=$((passed + p)) failed=$((failed + f))
        done
    done
}
run own "$ROOT/tests/filetests"
stressed "$ROOT/tests/filetests"
if [ -d "${COT_SUITES:-/nonexistent}/clif" ]; then
    for d in "$COT_SUITES"/clif/*/; do run "$(basename "$d")" "$d"; done
    stressed "$COT_SUITES"/clif
else
    echo "COT_SUITES does not name a folder with the reference's CLIF tests"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
