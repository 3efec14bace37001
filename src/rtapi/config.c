/* rtapi/config.c — configuration of the runtime, in any library; what needs no compiler of engines. */
#include "rtapi/rtapi.h"

static ConfigBase *base(CotConfig *c) {
    return (ConfigBase *)(void *)c;
}

void cot_config_set_allocator(CotConfig *c, CotReallocFn function, void *user) {
    ConfigBase *b = base(c);
    b->hooks = (MemHooks){function, user};
    b->rt.hooks = function ? &b->hooks : NULL;
}
void cot_config_set_signals(CotConfig *c, bool on) {
    base(c)->rt.no_signals = !on;
}
void cot_config_set_guard_pages(CotConfig *c, bool on) {
    base(c)->rt.explicit_bounds = !on;
}
void cot_config_set_interruptible(CotConfig *c, bool on) {
    base(c)->rt.interruptible = on;
}
void cot_config_set_max_memory(CotConfig *c, uint64_t bytes) {
    base(c)->rt.max_memory = bytes;
}
void cot_config_set_max_stack(CotConfig *c, uint64_t bytes) {
    base(c)->rt.max_stack = bytes;
}

void cot_engine_free(CotEngine *e) {
    rt_engine_free(engine_rt(e));
}
bool cot_engine_has_guard_pages(const CotEngine *e) {
    return rt_engine_has_guards(engine_rt(e));
}
