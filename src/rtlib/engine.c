/* rtlib/engine.c — configuration and engines of the library that has no compiler. */
#include <stdlib.h>
#include "rtapi/rtapi.h"

struct CotConfig {
    ConfigBase base;
};

CotConfig *cot_config_new(void) {
    return calloc(1, sizeof(CotConfig));
}

void cot_config_free(CotConfig *c) {
    free(c);
}

CotEngine *cot_engine_new(const CotConfig *c, CotError *error) {
    Diag d;
    diag_clear(&d);
    RtConfig defaults = {.no_signals = false};
    RtEngine *e = rt_engine_new(c ? &c->base.rt : &defaults, &d);
    if (!e) api_fail_diag(error, &d);
    return engine_api(e);
}
