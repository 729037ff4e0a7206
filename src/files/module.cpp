// The entry of the module etl_files.

#include "files/module.h"

#include "files/export.h"
#include "files/session.h"
#include "pg/server.h"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT const void* etl_files_module();
}

namespace etl::files {

namespace {

class DuckDbModule : public Module {
 public:
  std::unique_ptr<Session> open(const Limits& limits) const override { return open_session(limits); }
  void export_table(const ExportRequest& request, ExportTarget* target) const override { export_rows(request, target); }
};

}  // namespace

}  // namespace etl::files

const void* etl_files_module() {
  static const etl::files::DuckDbModule module;
  return static_cast<const etl::files::Module*>(&module);
}
