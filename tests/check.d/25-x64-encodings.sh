# Every row of the x86-64 instruction table, 1,000 random operand sets each: our bytes read by objdump against our own text.
# usage: 25-x64-encodings.sh BUILD_DIR (after the unit test isa-x64.encode, which writes the two files)
build=${1:-${COT_BUILD:-build}}
python3 "$(dirname "$0")/../diff/x64_encodings.py" "$build"
