/* object/dwarf.h — debug information of functions whose source locations are lines of ObjectOptions.source. */
#ifndef COT_OBJECT_DWARF_H
#define COT_OBJECT_DWARF_H
#include "object/plan.h"

/* Adds the sections, if there is a function with a location. */
void dwarf_add(ObjPlan *p);
#endif
