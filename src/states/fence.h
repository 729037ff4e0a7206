// Keeps src/states free of the server, like src/plan/fence.h: definitions are read and tested without one.
#pragma once

#ifdef PG_VERSION_NUM
#error "src/states must not see a server header"
#endif

#pragma GCC poison PG_VERSION_NUM
