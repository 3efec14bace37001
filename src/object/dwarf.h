/* object/dwarf.h — debug information in object files. */
#ifndef COT_OBJECT_DWARF_H
#define COT_OBJECT_DWARF_H
#include "dwarf/out.h"
#include "object/plan.h"

/* Adds the sections for functions whose source locations are lines of ObjectOptions.source, if there is one with a location. */
void dwarf_add(ObjPlan *p);
/* Adds sections that were written by somebody else. chunks: the symbol of each. */
void dwarf_place(ObjPlan *p, const DwarfOutput *o, const LinkSym *chunks);
#endif
