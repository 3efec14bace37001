#!/usr/bin/env bash
# make soak: the random tests at length. SEED chooses where they start (default: the time), COUNT how much of each:
#   60-smith     COUNT random modules against Wasmtime, COUNT/4 more in each of six other modes
#   65-mutate    COUNT mutated or truncated modules under sanitizers
#   68-fuzz      100 COUNT inputs of each fuzz target
#   55-csmith    COUNT/50 C programs, built and run at two levels of optimisation
#   x64-random   COUNT/5 random functions per processor and setting, native code against a model
#   x64-pairs    every opcode and type, COUNT/200 operand vectors (at most 64) per function, native code against the interpreter
#   x64-functions 10 COUNT random functions in modules, native code against the interpreter
#   ra-random    10 COUNT random allocation problems through both allocators, checked and executed, under sanitizers
#   30-spec      the spec suite with COUNT/1000 seeds of random register allocation by either allocator
# SOAK_ONLY=pattern runs only the matching ones. Repeating SEED and COUNT repeats the run.
set -u
cd "$(dirname "$0")/.."
scripts/bootstrap.sh check || exit 1
seed=${SEED:-$(date +%s)}
count=${COUNT:-10000}
part() { echo $((count / $1 > 0 ? count / $1 : 1)); }
echo "SEED=$seed COUNT=$count"
export SMITH_SEED=$seed SMITH_COUNT=$count MUTATE_SEED=$seed MUTATE_COUNT=$count
export FUZZ_SEED=$((seed % 1000000000 + 1)) FUZZ_RUNS=$((count * 100))
export CSMITH_SEED=$seed CSMITH_COUNT SPEC_SEEDS
CSMITH_COUNT=$(part 50)
SPEC_SEEDS=$(seq "$seed" $((seed + $(part 1000) - 1)))
export BUILD=$PWD/build COT=$PWD/build/cot COT_CHECKED_BIN=$PWD/build/checked/cot COT_ASAN=$PWD/build/asan/cot
export COT_STRESS_BIN=$PWD/build/stress/cot VENV=$PWD/build/venv
for p in release checked asan fuzz stress; do
    cmake --preset $p >/dev/null && cmake --build --preset $p -j "$(nproc)" | tail -1 || exit 1
done
status=0
for name in 60-smith 65-mutate 30-spec 68-fuzz 55-csmith; do
    case $name in *"${SOAK_ONLY:-}"*) ;; *) continue ;; esac
    echo "== $name"
    t=$SECONDS
    bash "tests/check.d/$name.sh" || status=1
    echo "   $((SECONDS - t)) seconds"
done
case ra-random in
*"${SOAK_ONLY:-}"*)
    echo "== ra-random"
    COT_RA_SEED=$seed COT_RA_COUNT=$((count * 10)) build/asan/tests/unit_regalloc_random >build/ra-random.log 2>&1 || { tail -80 build/ra-random.log; status=1; }
    grep 'corruptions' build/ra-random.log ;;
esac
case x64-random in
*"${SOAK_ONLY:-}"*)
    echo "== x64-random"
    build/checked/tests/unit_isa_x64_random "$(part 5)" "$seed" >build/x64-random.log 2>&1 || { tail -5 build/x64-random.log; status=1; } ;;
esac
case x64-pairs in
*"${SOAK_ONLY:-}"*)
    echo "== x64-pairs"
    build/checked/tests/unit_isa_x64_pairs "$(part 200)" "$seed" >build/x64-pairs.log 2>&1 || { tail -60 build/x64-pairs.log; status=1; }
    grep 'functions,' build/x64-pairs.log ;;
esac
case x64-functions in
*"${SOAK_ONLY:-}"*)
    echo "== x64-functions"
    build/checked/tests/unit_isa_x64_functions $((count * 10)) "$seed" >build/x64-functions.log 2>&1 || { tail -200 build/x64-functions.log; status=1; }
    grep 'functions in' build/x64-functions.log ;;
esac
exit $status
