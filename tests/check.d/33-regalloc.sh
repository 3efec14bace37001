#!/usr/bin/env bash
# Saved allocation problems (tests/regalloc/*.ra), one test per file and way: through both allocators, as they are and with random
# choices (RA_SEEDS), the checker on, also in the sanitized build. A file whose first line is `; fails: LINE:COL: MESSAGE` must be refused
# there, with that in the message. `; most in BLOCK: N stores, N reloads, N moves` limits what the backtracking allocator may insert there
# (all: in all blocks), `; stress SEED` is a seed that has failed. What is printed reads back as the same text. Then the texts that `cot compile --emit regalloc` writes
# for modules, whose results must be the ones that the allocator finds for the text. docs/ion.md shows what its example gives.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot
asan=${COT_ASAN:-$BUILD/asan/cot}
dir=$WORK/regalloc
mkdir -p "$dir"
passed=0 failed=0 skipped=0
fail() { failed=$((failed + 1)) && echo "33-regalloc: $*"; }
# try COMMAND...: it succeeds
try() { if "$@" >"$dir/out" 2>"$dir/err"; then passed=$((passed + 1)); else fail "$*: $(head -n 3 "$dir/err")"; fi; }
# refused WHERE TEXT COMMAND...: exit status 1 and one line that begins and ends so
refused() {
    local where=$1 text=$2
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    if [ $? = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && grep -q "\.ra:$where: error: " "$dir/err" && grep -qF -- "$text" "$dir/err"; then
        passed=$((passed + 1))
    else fail "$*: $(head -n 3 "$dir/err") instead of $where: $text"; fi
}
# same FILE FILE WHAT
same() { if cmp "$1" "$2" >&2; then passed=$((passed + 1)); else fail "$3"; fi; }

# inserted FILE BLOCK: how many stores, reloads and moves there are, as in the limits
inserted() {
    awk -v block="$2" '/^block/ {split($1, name, /[(:]/); on = block == "all" || name[1] == block}
        on && ($1 == "before" || $1 == "after") {if ($2 ~ /^stack/) s++; else if ($4 ~ /^stack/) r++; else m++}
        END {print s + 0, r + 0, m + 0}' "$1"
}

for f in "$ROOT"/tests/regalloc/*.ra; do
    expect=$(sed -n '1s/^; fails: //p' "$f")
    if [ -n "$expect" ]; then
        where=${expect%%: *}
        for cot in "$COT" "$asan"; do
            [ -x "$cot" ] && refused "$where" "${expect#*: }" "$cot" regalloc --check --quiet "$f"
        done
        continue
    fi
    for how in --ion --fast; do
        for cot in "$COT" "$asan"; do
            [ -x "$cot" ] || continue
            try "$cot" regalloc $how --check --quiet "$f"
            for seed in ${RA_SEEDS:-1 2 3 4 5 6 7 8} $(sed -n '1s/^; stress //p' "$f"); do try "$cot" regalloc $how --stress "$seed" --check --quiet "$f"; done
        done
        "$COT" regalloc $how "$f" >"$dir/a.ra"
        "$COT" regalloc --check "$dir/a.ra" >"$dir/b.ra"
        same "$dir/a.ra" "$dir/b.ra" "$f $how: the result is not printed as it is read"
    done
    limit=$(sed -n '1s/^; most in //p' "$f")
    if [ -n "$limit" ]; then
        read -r block s _ r _ m _ <<<"$limit"
        "$COT" regalloc --ion "$f" >"$dir/a.ra"
        read -r gs gr gm < <(inserted "$dir/a.ra" "${block%:}")
        if [ "$gs" -le "$s" ] && [ "$gr" -le "$r" ] && [ "$gm" -le "$m" ]; then passed=$((passed + 1)); else fail "$f: $gs stores, $gr reloads, $gm moves"; fi
    fi
    "$COT" regalloc --input "$f" >"$dir/a.ra"
    "$COT" regalloc --input "$dir/a.ra" >"$dir/b.ra"
    same "$dir/a.ra" "$dir/b.ra" "$f: the input is not printed as it is read"
done

# the example of docs/ion.md
part() { awk -v mark="<!-- ion example $1 -->" '$0 == mark {on = 1; next} on && /^```/ {if (n++) exit; next} on && n {print}' "$ROOT/docs/ion.md"; }
part input >"$dir/example.ra"
for shown in output: spans:--dump; do
    part "${shown%%:*}" >"$dir/want"
    # shellcheck disable=SC2086
    "$COT" regalloc --ion --check ${shown#*:} "$dir/example.ra" >"$dir/got"
    same "$dir/want" "$dir/got" "docs/ion.md, ${shown%%:*}"
done

# drawings: every tag is closed, and there is one box for each value at least
if [ -n "$PY" ]; then
    f=$ROOT/tests/regalloc/join_store_twice.ra
    "$COT" regalloc --svg "$dir/a.html" "$f" && "$COT" regalloc --dump "$f" >"$dir/spans"
    if "$PY" "$ROOT/tests/diff/drawing.py" "$dir/a.html" "$(wc -l <"$dir/spans")"; then passed=$((passed + 1)); else fail "the drawing"; fi
else
    skipped=$((skipped + 1))
fi

if [ -d "${COT_BENCH:-/nonexistent}/sightglass" ]; then
    for f in shootout/shootout-fib2.wasm shootout/shootout-base64.wasm bz2/benchmark.wasm; do
        f=$COT_BENCH/sightglass/$f
        for how in ion fast; do
            "$COT" compile --regalloc=$how --emit regalloc "$f" | grep -v '^;' >"$dir/a.ra"
            "$COT" regalloc --check "$dir/a.ra" >"$dir/b.ra"
            same "$dir/a.ra" "$dir/b.ra" "$f: results are not printed as they are read"
            [ $how = fast ] || how=best
            "$COT" regalloc --$how "$dir/a.ra" >"$dir/b.ra"
            same "$dir/a.ra" "$dir/b.ra" "$f: the allocator's result for the text is not the compiler's"
        done
    done
else
    skipped=$((skipped + 1))
    echo "COT_BENCH does not name a folder with sightglass"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
