#!/usr/bin/env bash
# What README.md says that `make demo` prints is what it prints, and the commands that the documentation names exist.
# Offsets in the text are those that clang 14 (Debian 12) gives.
set -u
. "$(dirname "$0")/../diff/env.sh"
need cot-run wasi-clang
cd "$ROOT" || exit 1
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)) && echo "80-readme: $1"; }

# The first fenced block after a heading.
block() { awk -v h="$1" '$0 == h {on = 1; next} on && /^```/ {if (inside) exit; inside = 1; next} inside' README.md; }
if clang --version | grep -q 'version 14\.'; then
    block '## What `make demo` prints' >"$WORK/readme.want"
    scripts/demo.sh >"$WORK/readme.got" 2>&1
    if [ -s "$WORK/readme.want" ] && diff "$WORK/readme.want" "$WORK/readme.got"; then ok; else bad "make demo prints something else"; fi
    skipped=0
else
    echo "80-readme.sh: skipped: the text of README.md is compared under clang 14 only"
    skipped=1
fi
# Every `cot COMMAND` and every `--option` of docs/cli.md is known to the command's help.
for command in run compile validate wast bench; do
    if "$COT" "$command" --help | grep -q "^usage: cot $command"; then ok; else bad "cot $command --help has no usage line"; fi
    grep -q "cot $command" README.md docs/cli.md || bad "cot $command is not documented"
done
for option in --dir --env --invoke --cpu-features --iterations --json --emit; do
    if { "$COT" run --help; "$COT" bench --help; "$COT" compile --help; } | grep -q -e "$option"; then ok; else bad "$option is not in the help"; fi
done
# Links between the documents lead somewhere.
for doc in README.md docs/*.md audit/*.md; do
    for target in $(grep -oE '\]\([^)#]+' "$doc" | cut -c3- | grep -v '^http'); do
        if [ -e "$(dirname "$doc")/$target" ]; then ok; else bad "$doc: no file $target"; fi
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
