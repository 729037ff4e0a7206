// Loading of the library: settings everywhere; shared memory, launcher and hooks only in the postmaster.

#include "engine/background.h"
#include "engine/database_hook.h"
#include "engine/shared_state.h"
#include "pg/boundary.h"
#include "pg/settings.h"

extern "C" {

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  etl::pg::boundary([] {
    etl::settings::define();
    if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade) return;
    etl::request_shared_state();
    etl::install_database_hook();
    etl::register_launcher();
  });
}
}
