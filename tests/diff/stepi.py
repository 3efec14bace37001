# In gdb: steps through every instruction from the breakpoint to the return of its frame; the frame's caller must be the same at each, though gdb
# knows it from call frame information alone. Prints "N instructions, caller NAME".
import gdb

gdb.execute("set breakpoint pending on")
gdb.execute("set pagination off")
gdb.execute("break compute")
gdb.execute("run")
gdb.execute("delete")
frame = gdb.newest_frame()
caller = frame.older()
pc, sp, name = caller.pc(), int(caller.read_register("rsp")), caller.name()
n, calls = 0, 0
while n < 5000:
    gdb.execute("stepi", to_string=True)
    f = gdb.newest_frame()
    if f.pc() == pc and int(f.read_register("rsp")) == sp:
        break
    n += 1
    while f is not None and not (f.pc() == pc and int(f.read_register("rsp")) == sp):
        f = f.older()
    if f is None:
        raise gdb.GdbError("no way to the caller from %#x after %d instructions" % (gdb.newest_frame().pc(), n))
print("%d instructions, caller %s" % (n, name))
gdb.execute("set confirm off")
gdb.execute("kill")
