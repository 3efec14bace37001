/* jit/jit.c — maps a unit's code. Layout: code | one 16-byte stub per libcall used.
 * Stub: ff 25 00 00 00 00 (jmp *0(%rip)), then the 8-byte address. */
#include "jit/jit.h"
#include <sys/mman.h>
#include <unistd.h>

#define STUB_BYTES 16u

static void write_stub(uint8_t *p, const void *target) {
    static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};
    memcpy(p, jump, sizeof jump);
    memcpy(p + 6, &target, 8);
    p[14] = p[15] = 0xcc;
}

static bool apply(JitCode *c, const CodeUnit *u, JitResolve resolve, void *user, Diag *d) {
    uint32_t stub_of[CLIF_LIBCALL_COUNT] = {0};
    size_t end = (u->code.n + 15u) & ~(size_t)15;
    for (uint32_t i = 0; i < u->relocs.n; i++) {
        const UnitReloc *r = &u->relocs.p[i];
        const void *target = resolve(user, (ClifLibCall)r->libcall);
        if (!target)
            return diag_msg(d, DIAG_LINK, "runtime routine %s is not available",
                            clif_libcall_symbol[r->libcall]);
        uint8_t *field = c->base + r->offset;
        switch ((MachRelocKind)r->kind) {
        case MACH_RELOC_ABS8: {
            uint64_t v = (uint64_t)(uintptr_t)target + (uint64_t)r->addend;
            memcpy(field, &v, 8);
            continue;
        }
        case MACH_RELOC_X86_PCREL4:
        case MACH_RELOC_X86_CALL_PCREL4:
        case MACH_RELOC_X86_CALL_PLT: {
            if (!stub_of[r->libcall]) {
                stub_of[r->libcall] = (uint32_t)end;
                write_stub(c->base + end, target);
                end += STUB_BYTES;
            }
            int32_t v = (int32_t)((int64_t)stub_of[r->libcall] + r->addend - r->offset);
            memcpy(field, &v, 4);
            continue;
        }
        case MACH_RELOC_X86_GOTPCREL4:
        case MACH_RELOC_X86_MOV_GOTPCREL4: { /* the address field of the stub serves as the table entry */
            if (!stub_of[r->libcall]) {
                stub_of[r->libcall] = (uint32_t)end;
                write_stub(c->base + end, target);
                end += STUB_BYTES;
            }
            int32_t v = (int32_t)((int64_t)stub_of[r->libcall] + 6 + r->addend - r->offset);
            memcpy(field, &v, 4);
            continue;
        }
        case MACH_RELOC_ABS4:
        case MACH_RELOC_ARM64_CALL:
        case MACH_RELOC_ELF_X86_TLSGD:
        case MACH_RELOC_MACHO_X86_TLV:
        case MACH_RELOC_COFF_X86_SECREL: break;
        }
        return diag_msg(d, DIAG_LINK, "relocation kind %u cannot be applied in memory", r->kind);
    }
    c->size = end;
    return true;
}

bool jit_map(JitCode *out, const CodeUnit *u, JitResolve resolve, void *user, Diag *d) {
    memset(out, 0, sizeof *out);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t need = u->code.n + 16u + (size_t)CLIF_LIBCALL_COUNT * STUB_BYTES;
    out->mapped = (need + page - 1) / page * page;
    void *p = mmap(NULL, out->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return diag_msg(d, DIAG_OOM, "no memory for %zu bytes of code", out->mapped);
    out->base = p;
    if (u->code.n) memcpy(out->base, u->code.p, u->code.n);
    if (!apply(out, u, resolve, user, d)) {
        jit_unmap(out);
        return false;
    }
    if (mprotect(out->base, out->mapped, PROT_READ | PROT_EXEC)) {
        jit_unmap(out);
        return diag_msg(d, DIAG_OOM, "the system refuses executable memory");
    }
    return true;
}

void jit_unmap(JitCode *c) {
    if (c->base) munmap(c->base, c->mapped);
    memset(c, 0, sizeof *c);
}
