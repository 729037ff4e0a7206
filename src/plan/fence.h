// Keeps src/plan pure: it is compiled and tested without a server, in milliseconds.
// Every .cpp of this folder includes the fence first. A server header defines PG_VERSION_NUM: one that came
// before stops the build at #error, one that comes after at the poisoned name. The headers of this folder do
// not include it, so that the engine can use them beside server headers.
#pragma once

#ifdef PG_VERSION_NUM
#error "src/plan must not see a server header"
#endif

#pragma GCC poison PG_VERSION_NUM
