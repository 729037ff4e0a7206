#include "engine/files_module.h"

#include <unistd.h>

#include "pg/guard.h"
#include "pg/settings.h"

namespace etl {

namespace {

constexpr const char* kLibrary = "$libdir/etl_files";

}  // namespace

bool has_files_module() {
  const std::string path = std::string(pkglib_path) + "/etl_files" DLSUFFIX;
  return access(path.c_str(), R_OK) == 0;
}

const files::Module& files_module(const std::string& purpose) {
  static const files::Module* module = nullptr;
  if (module != nullptr) return *module;
  if (!has_files_module())
    throw pg::Failure(ERRCODE_FEATURE_NOT_SUPPORTED, purpose + " needs the module etl_files, which is not installed",
                      "It reads files with DuckDB.",
                      "Install DuckDB with setup/install_duckdb.sh, then build and install the extension again.");
  using Function = const files::Module* (*)();
  const auto function = pg::guard([] {
    return reinterpret_cast<Function>(load_external_function(kLibrary, files::kModuleFunction, true, nullptr));
  });
  module = function();
  return *module;
}

files::Format module_format(locations::Format format) {
  switch (format) {
    case locations::Format::kCsv:
      return files::Format::kCsv;
    case locations::Format::kParquet:
      return files::Format::kParquet;
    default:
      return files::Format::kJson;
  }
}

files::Source module_source(const locations::File& file, locations::FileType type) {
  return {file.descriptor(), file.path(), module_format(type.format),
          type.compression == locations::Compression::kGzip};
}

files::Limits file_limits() {
  files::Limits limits;
  limits.threads = settings::file_threads();
  limits.memory_bytes = static_cast<int64_t>(settings::file_memory_limit_kb()) * 1024;
  limits.temp_directory = settings::file_temp_directory();
  return limits;
}

}  // namespace etl
