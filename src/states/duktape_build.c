// Duktape, as Debian's package duktape-dev brings it, with options of ours.
#define DUK_COMPILING_DUKTAPE
#include "duktape_options.h"
#include <duktape.c>
