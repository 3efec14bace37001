# A module for debuggers whose variables are locals, with what compilers seldom make of C: constants of all types that are in no
# register, vectors in registers and across calls. tests/check.d/39-debug-wasm.sh knows its values.
	.functype tick (i32) -> ()
	.functype work (i32) -> ()
	.functype _start () -> ()
	.file	1 "." "locals.s"

	.section .text.tick,"",@
	.type	tick,@function
tick:
	.functype tick (i32) -> ()
	i32.const	0
	local.get	0
	i32.store	ticks
	end_function

	.section .text.work,"",@
	.type	work,@function
work:
.Lwork:
	.functype work (i32) -> ()
	.local i32, i64, f32, f64, i32, i32, v128, v128, i64, i32
	.loc	1 10 0 prologue_end
	i32.const	-7
	local.set	1
	i64.const	-81985529216486896
	local.set	2
	f32.const	0x1.8p0
	local.set	3
	f64.const	-0x1.2p1
	local.set	4
	i32.const	0
	local.set	5
	i32.const	text
	local.set	6
	v128.const	1, 2, 3, 4
	local.set	7
	local.get	0
	i32x4.splat
	local.get	7
	i32x4.add
	local.set	8
	i32.const	-1
	i64.extend_i32_u
	local.set	9
	i32.const	5
	local.set	10
	.loc	1 20
	local.get	0
	call	tick
	.loc	1 30
	local.get	8
	i32x4.extract_lane	2
	call	tick
	.loc	1 40
	i32.const	8
	local.set	1
	local.get	0
	i32.eqz
	if
	i32.const	9
	local.set	1
	i32.const	6
	local.set	10
	end_if
	.loc	1 50
	local.get	8
	i32x4.extract_lane	3
	call	tick
	local.get	8
	i32x4.extract_lane	1
	call	tick
	local.get	10
	call	tick
	.loc	1 60                    # an out-of-line trap: 3 * 2^40 is no i32
	local.get	0
	f32.convert_i32_s
	f32.const	0x1p40
	f32.mul
	i32.trunc_f32_s
	call	tick
	local.get	0
	call	tick
	local.get	8
	i32x4.extract_lane	0
	call	tick
	end_function
.Lwork_end:

	.section .text._start,"",@
	.globl	_start
	.export_name _start, _start
	.type	_start,@function
_start:
	.functype _start () -> ()
	i32.const	3
	call	work
	end_function

	.section .data.text,"",@
text:
	.asciz	"hello"
	.size	text, 6
	.section .bss.ticks,"",@
	.p2align 2
ticks:
	.int32	0
	.size	ticks, 4

# DWARF 4. Variables are `DW_OP_WASM_location local N, DW_OP_stack_value`.
	.section .debug_line,"",@
.Lline:
	.section .debug_abbrev,"",@
.Labbrev:
	.macro	bytes list:vararg
	.irp	x, \list
	.int8	\x
	.endr
	.endm
	.macro	attributes list:vararg
	bytes	\list, 0, 0
	.endm
	bytes	1, 0x11, 1              # unit: name, stmt_list, low_pc, high_pc
	attributes	3, 8, 0x10, 0x17, 0x11, 1, 0x12, 6
	bytes	2, 0x2e, 1              # function: name, low_pc, high_pc
	attributes	3, 8, 0x11, 1, 0x12, 6
	bytes	3, 0x34, 0              # variable: name, type, location
	attributes	3, 8, 0x49, 0x13, 2, 0x18
	bytes	4, 5, 0                 # parameter
	attributes	3, 8, 0x49, 0x13, 2, 0x18
	bytes	5, 0x24, 0              # base type: name, encoding, size
	attributes	3, 8, 0x3e, 0xb, 0xb, 0xb
	bytes	6, 0xf, 0               # pointer
	attributes	0x49, 0x13
	bytes	7, 1, 1                 # array
	attributes	0x49, 0x13
	bytes	8, 0x21, 0              # its size
	attributes	0x49, 0x13, 0x37, 0xb
	.int8	0

	.section .debug_info,"",@
	.macro	base name, encoding, size
	.int8	5
	.asciz	"\name"
	bytes	\encoding, \size
	.endm
	.macro	variable name, type, local, kind=3
	.int8	\kind
	.asciz	"\name"
	.int32	\type-.Lunit
	bytes	4, 0xed, 0, \local, 0x9f
	.endm
.Lunit:
	.int32	.Lend-.Lstart
.Lstart:
	.int16	4
	.int32	.Labbrev
	.int8	4
	.int8	1
	.asciz	"locals.s"
	.int32	.Lline
	.int32	.Lwork
	.int32	.Lwork_end-.Lwork
.Lint:
	base	"int", 5, 4
.Llong:
	base	"long long", 5, 8
.Lfloat:
	base	"float", 4, 4
.Ldouble:
	base	"double", 4, 8
.Lchar:
	base	"char", 6, 1
.Lpointer:
	.int8	6
	.int32	.Lchar-.Lunit
.Lvector:
	.int8	7
	.int32	.Lint-.Lunit
	.int8	8
	.int32	.Lint-.Lunit
	.int8	4
	.int8	0
	.int8	2
	.asciz	"work"
	.int32	.Lwork
	.int32	.Lwork_end-.Lwork
	variable	n, .Lint, 0, 4
	variable	i, .Lint, 1
	variable	q, .Llong, 2
	variable	f, .Lfloat, 3
	variable	d, .Ldouble, 4
	variable	none, .Lpointer, 5
	variable	s, .Lpointer, 6
	variable	v, .Lvector, 7
	variable	w, .Lvector, 8
	variable	u, .Llong, 9
	variable	k, .Lint, 10
# What is not understood is left out: the value that a parameter had at the beginning.
	.int8	3
	.asciz	"entry"
	.int32	.Lint-.Lunit
	bytes	6, 0xa3, 3, 0xed, 0, 0, 0x9f
	.int8	0
	.int8	0
.Lend:
