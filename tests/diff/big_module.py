"""big_module.py FUNCTIONS OUT: writes a valid module with so many functions of some hundred operators, all of them exported
or called, with memory accesses, calls and branches."""
import sys


def leb(n):
    out = bytearray()
    while True:
        b = n & 0x7F
        n >>= 7
        out.append(b | (0x80 if n else 0))
        if not n:
            return bytes(out)


def vec(items):
    return leb(len(items)) + b"".join(items)


def section(number, body):
    return bytes([number]) + leb(len(body)) + body


def function(k):
    code = bytearray()
    for i in range(12):
        # local1 = load(local0 + 8 i) * local1 + 3; if it is odd: local0 = local0 xor local1
        code += b"\x20\x00\x28\x02" + leb(8 * i) + b"\x20\x01\x6c\x41\x03\x6a\x22\x01"
        code += b"\x41\x01\x71\x04\x40\x20\x00\x20\x01\x73\x21\x00\x0b"
        code += b"\x20\x00\x20\x01\x36\x02" + leb(4 * i)
    if k:
        code += b"\x20\x01\x10" + leb(k - 1) + b"\x21\x01"
    code += b"\x20\x01\x0b"
    body = b"\x01\x01\x7f" + bytes(code)
    return leb(len(body)) + body


def main():
    n, out = int(sys.argv[1]), sys.argv[2]
    name = lambda k: ("function_number_%d" % k).encode()
    module = b"\0asm\1\0\0\0"
    module += section(1, vec([b"\x60\x01\x7f\x01\x7f"]))
    module += section(3, vec([b"\0"] * n))
    module += section(5, vec([b"\0\1"]))
    module += section(7, vec([leb(len(name(k))) + name(k) + b"\0" + leb(k) for k in range(n)]))
    module += section(10, vec([function(k) for k in range(n)]))
    with open(out, "wb") as f:
        f.write(module)


main()
