/* tests/unit/cm.h — cmocka with the headers it wants, and a small random generator. */
#ifndef COT_TESTS_CM_H
#define COT_TESTS_CM_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "rnd.h"

#endif
