# rulec: rejected samples, samples that are compiled and run, random rules against a naive matcher, damaged inputs.
# Usage: test_rulec.sh TOOLS_DIR
set -eu
rulec=$1/rulec
here=$(cd "$(dirname "$0")/../rulec" && pwd)
cc=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

python3 "$here/reject.py" "$rulec"

"$rulec" "$here/run.isle" --include run.h --ctx Ctx -o "$tmp/run_gen.c" --header "$tmp/roots.h" --deps "$tmp/run.d"
"$rulec" "$here/run.isle" --include run.h --ctx Ctx > "$tmp/again.c"
cmp "$tmp/run_gen.c" "$tmp/again.c"
grep -q "run.isle" "$tmp/run.d"
grep -q "isle_lower(Ctx \*ctx, Node a_0);" "$tmp/roots.h"
$cc -std=c11 -O1 -Wall -Wextra -Werror -I"$here" -I"$tmp" "$here/run.c" -o "$tmp/run"
"$tmp/run"

# A root keeps its name to itself and drops what it does not reach.
"$rulec" "$here/run.isle" --include run.h --ctx Ctx --prefix x --root may > "$tmp/may.c"
grep -q "^bool x_may(" "$tmp/may.c"
if grep -q "x_lower" "$tmp/may.c"; then echo "unreachable term was written"; exit 1; fi
if "$rulec" "$here/run.isle" --root nope > "$tmp/nope.c" 2> /dev/null; then echo "unknown root accepted"; exit 1; fi

for seed in 1 2 3; do python3 "$here/random_rules.py" "$rulec" "$cc" $seed 20; done
python3 "$here/mutate.py" "$rulec" 1 300
