// Keeps src/crawl free of the server, like src/plan/fence.h: it is linked into two modules and into the unit tests.
// Every .cpp of this folder includes the fence first; the headers do not, so that they can be used beside server
// headers.
#pragma once

#ifdef PG_VERSION_NUM
#error "src/crawl must not see a server header"
#endif

#pragma GCC poison PG_VERSION_NUM
