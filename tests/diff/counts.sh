# Sourced by scripts of tests/check.d after env.sh, in a folder of their own: what passed, failed and was left out is counted in $passed,
# $failed, $skipped, and said under the script's name.
this=$(basename "$0" .sh)
passed=0 failed=0 skipped=0

has() { command -v "$1" >/dev/null 2>&1; }
left_out() { # left_out REASON
    skipped=$((skipped + 1))
    echo "$this: skipped: $1"
}
check() { # check WHAT COMMAND…: succeeds
    local what=$1
    shift
    if "$@" >log 2>&1; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "$this: failed: $what"
        cut -c1-300 log | tail -n 20
    fi
}
sum() { # sum WHAT LOG: adds the last line of a tool that counts itself
    local p f s
    if read -r p f s < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$2" | tail -n 1) && [ -n "$p" ]; then
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        [ "$f" = 0 ] || { echo "$this: $1:" && tail -n 20 "$2"; }
    else
        failed=$((failed + 1))
        echo "$this: $1 gave no sum:"
        tail -n 20 "$2"
    fi
}
suite() { # suite WHAT COMMAND…: runs such a tool
    local what=$1
    shift
    "$@" >log 2>&1
    sum "$what" log
}
says() { # says STATUS PATTERN COMMAND…: ends with that status and that line of error
    local status=$1 pattern=$2
    shift 2
    "$@" >out 2>err
    [ $? -eq "$status" ] && grep -qxE -- "$pattern" err || { cat err; return 1; }
}
silent() { # silent COMMAND…: succeeds and has nothing to say on standard error
    "$@" 2>err >/dev/null && [ ! -s err ] || { cat err; return 1; }
}
lines() { # lines FILE PATTERN…: has lines with these, in this order
    local file=$1 at=0 line n
    shift
    for line; do
        n=$(tail -n +$((at + 1)) "$file" | grep -nE -m 1 -- "$line" | cut -d: -f1)
        [ -n "$n" ] || { cat "$file" && echo "nothing like '$line' behind line $at"; return 1; }
        at=$((at + n))
    done
}
