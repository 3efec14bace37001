#!/usr/bin/env python3
"""Random C signatures for tests/cabi/run.c: gen.py SEED COUNT sysv|windows|windows_gcc > signatures.h

For each signature: a C callee that notes its arguments in `got` and returns `wanted`, a C caller, and a description in
cot/cabi.h's terms. Sizes and offsets in the description are the compiler's own (sizeof, offsetof); cot_c_layout must
find the same for structures that are not packed. windows_gcc: no structures among unnamed arguments, because gcc's
va_arg of an ms_abi list reads them in place, where the convention has an address."""
import random
import sys

seed, count, abi = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
r = random.Random(seed)
SCALARS = [("int8_t", "I8"), ("uint8_t", "U8"), ("int16_t", "I16"), ("uint16_t", "U16"), ("int32_t", "I32"),
           ("uint32_t", "U32"), ("int64_t", "I64"), ("uint64_t", "U64"), ("void *", "POINTER"), ("float", "FLOAT"),
           ("double", "DOUBLE")]
structs = 0
out = []
windows = abi != "sysv"
attr = "__attribute__((ms_abi)) " if windows else ""
va = ("__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end") if windows else \
     ("va_list", "va_start", "va_end")


def scalar(kinds=SCALARS):
    c, k = r.choice(kinds)
    return c, "c_" + k


def struct(depth):
    global structs
    fields = []
    for _ in range(r.choice([1, 1, 2, 2, 3, 4, 7])):
        c, d = struct(depth + 1) if depth < 3 and r.random() < 0.2 else scalar(
            SCALARS[:2] if r.random() < 0.2 else SCALARS[-2:] if r.random() < 0.4 else SCALARS)
        fields.append((c, d, r.choice([0, 0, 0, 0, 2, 3, 5])))
    if r.random() < 0.03:
        fields.append(("int64_t", "c_I64", r.choice([20, 60])))
    n = structs
    structs += 1
    kind = "union" if r.random() < 0.1 else "struct"
    packed = " __attribute__((packed))" if r.random() < 0.1 else ""
    name = f"{kind} s{n}"
    out.append(f"{name} {{" + " ".join(f"{c} m{i}{'[%d]' % k if k else ''};" for i, (c, _, k) in enumerate(fields)) + f"}}{packed};")
    out.append(f"static const CotCField f{n}[] = {{" + ", ".join(
        f"{{&{d}, offsetof({name}, m{i}), {k}}}" for i, (_, d, k) in enumerate(fields)) + "};")
    out.append(f"static const CotCType t{n} = {{COT_C_STRUCT, sizeof({name}), _Alignof({name}), f{n}, {len(fields)}}};")
    out.append(f"_Static_assert(sizeof({name}) <= MOST, \"room\");")
    if kind == "struct" and not packed:
        layouts.append(f"&t{n}")
    return name, f"t{n}"


layouts = []


def any_type():
    return struct(0) if r.random() < 0.5 else scalar()


rows = []
for i in range(count):
    nargs = r.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 12])
    variadic = r.random() < 0.15 and nargs > 1
    fixed = r.randrange(1, nargs) if variadic else nargs
    args = [any_type() for _ in range(nargs)]
    for k in range(fixed, nargs):  # as C promotes them
        if r.random() < 0.7 or abi == "windows_gcc" or args[k][0] in ("float", "int8_t", "uint8_t", "int16_t", "uint16_t"):
            args[k] = r.choice([("int32_t", "c_I32"), ("double", "c_DOUBLE"), ("void *", "c_POINTER"), ("uint64_t", "c_U64")])
    res = any_type() if r.random() < 0.85 else ("void", "c_VOID")
    params = ", ".join(f"{c} a{k}" for k, (c, _) in enumerate(args[:fixed])) or "void"
    types = ", ".join(c for c, _ in args[:fixed]) or "void"
    if variadic:
        params += ", ..."
        types += ", ..."
    body = ""
    if variadic:
        body += f"{va[0]} ap; {va[1]}(ap, a{fixed - 1}); "
        for k in range(fixed, nargs):
            body += f"{args[k][0]} a{k} = va_arg(ap, {args[k][0]}); "
        body += f"{va[2]}(ap); "
    for k, (c, _) in enumerate(args):
        body += f"memcpy(got[{k}], &a{k}, sizeof a{k}); "
    if res[0] != "void":
        body += f"{res[0]} r; memcpy(&r, wanted, sizeof r); return r; "
    out.append(f"static {attr}{res[0]} callee{i}({params}) {{ {body}}}")
    call = f"(({res[0]} ({attr}*)({types}))fn)(" + ", ".join(f"*({c} *)args[{k}]" for k, (c, _) in enumerate(args)) + ")"
    if res[0] == "void":
        out.append(f"static void caller{i}(void (*fn)(void), void **args, void *res) {{ (void)res; (void)args; {call}; }}")
    else:
        out.append(f"static void caller{i}(void (*fn)(void), void **args, void *res) {{ (void)args; {res[0]} r = {call}; memcpy(res, &r, sizeof r); }}")
    out.append(f"static const CotCType *const args{i}[] = {{" + ", ".join(f"&{d}" for _, d in args + [("", "c_VOID")]) + "};")
    conv = "COT_CONV_WINDOWS" if windows else "COT_CONV_SYSTEM_V"
    rows.append(f"{{{{{conv}, {int(variadic)}, {fixed}, {nargs}, &{res[1]}, args{i}}}, (void (*)(void))callee{i}, caller{i}}}")
print("\n".join(out))
print("static const Test tests[] = {" + ",\n".join(rows) + "};")
print("static const CotCType *const layouts[] = {" + ", ".join(layouts) + "};")
