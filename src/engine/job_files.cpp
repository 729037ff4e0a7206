#include "engine/job_files.h"

#include "engine/file_failures.h"
#include "locations/glob.h"
#include "locations/partitions.h"
#include "pg/sha256.h"
#include "pg/wait.h"

namespace etl {

using file_store::Version;

namespace {

std::string content_hash(const locations::File& file) {
  pg::Sha256 hash;
  file.read_all([&](std::string_view piece) {
    pg::check_interrupts();
    hash.add(piece);
    return true;
  });
  return hash.hex();
}

}  // namespace

JobFiles::JobFiles(const std::string& location, const std::string& file, const std::string& reader_options)
    : name_(location), file_(file), reader_(parse_reader_options(reader_options)) {}

std::vector<Version> JobFiles::find() {
  {
    const pg::LatestSnapshot snapshot;
    location_ = find_location(name_);
    require_use(location_, GetUserId());
  }
  if (!are_many()) {
    const locations::File file = open(file_);
    return {{file.path(), file.facts(), ""}};
  }
  std::vector<Version> files;
  int64_t refused = 0;
  for (const locations::Found& found : list_files(location_, file_)) {
    if (!found.refusal) files.push_back({found.entry.path, found.entry.facts, ""});
    if (found.refusal && found.entry.problem.empty() && !found.entry.is_directory) ++refused;
  }
  nothing_found_ = pg::format("no file of location \"%s\" matches \"%s\"", name_.c_str(), file_.c_str());
  if (refused > 0)
    nothing_found_ +=
        pg::format(" and its rules: %s left alone", pg::count_of(refused, "file is", "files are").c_str());
  return files;
}

bool JobFiles::are_many() const {
  return locations::is_pattern(file_);
}

locations::File JobFiles::open(const std::string& path) const {
  return open_file(location_, path);
}

FileInput JobFiles::input(const locations::File& file) const {
  const locations::FileType type = locations::file_type_of(file.path()).value_or(locations::FileType{});
  const std::string format = reader_.format.value_or(locations::name_of({type.format, locations::Compression::kNone}));
  FileInput input{file.descriptor(), file.path(), files::Format::kCsv, false, {}};
  if (format == "parquet") input.format = files::Format::kParquet;
  if (format == "json" || format == "ndjson") input.format = files::Format::kJson;
  input.compressed = reader_.compressed.value_or(type.compression == locations::Compression::kGzip);
  for (const locations::Partition& partition : locations::partitions_of(file.path()))
    input.partitions.emplace_back(partition.name, partition.value);
  return input;
}

// What cannot be read is a Failure that names the file.
template <typename F>
auto JobFiles::readable(const std::string& path, F&& body) const {
  try {
    return body();
  } catch (const locations::FileError& error) {
    throw failure_of(location_, path, error);
  }
}

std::string JobFiles::hash(const locations::File& file) const {
  return readable(file.path(), [&] { return content_hash(file); });
}

void JobFiles::require_same(const locations::File& file) const {
  if (readable(file.path(), [&] { return file.facts_now(); }) != file.facts()) fail_changed(file.path());
}

bool JobFiles::is_gone(const Version& version) const {
  const locations::Directory directory = open_directory(location_);
  try {
    const locations::File file = directory.open_file(version.path);
    if (file.facts() == version.facts) return false;
    return file.facts().size != version.facts.size || content_hash(file) != version.hash;
  } catch (const locations::FileError& error) {
    return error.kind() == locations::FileError::Kind::kMissing ||
           error.kind() == locations::FileError::Kind::kNotRegular;
  }
}

}  // namespace etl
