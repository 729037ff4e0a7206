// Loads files into a table, in the transaction block that is open, with the current user's rights.
//
// kReplace builds the rows aside and swaps them in (pg/replacement.h), so that readers go on meanwhile and no snapshot
// ever finds the table empty or half full; where that is impossible they are deleted and inserted, with a note. kAppend
// adds to what is there. kUpsert fills a temporary table first, and inserts or updates by key from it; of two rows of a
// load with the same key, the later one wins.
//
// Files are read by the module etl_files (files/module.h). Where it is not installed, plain CSV files are read by COPY.
#pragma once

#include <set>

#include "engine/column_match.h"
#include "engine/load_options.h"
#include "engine/reject_store.h"
#include "pg/clock.h"
#include "pg/replacement.h"

namespace etl {

// A file that was opened by somebody who was allowed to, and stays open meanwhile.
struct FileInput {
  int descriptor;
  std::string name;  // for messages and provenance: the path beneath the location, or the absolute one
  files::Format format;
  bool compressed;
  std::vector<std::pair<std::string, std::optional<std::string>>> partitions;  // of its path: column, value
};

struct Loaded {
  int64_t rows = 0;
  int64_t rejected = 0;
  std::string note;  // what the user should know, or empty
};

// Adds what the user should know to the notes of a log row, once.
void add_note(std::string* notes, const std::string& more);

// What reads the files of one job, opened when it is first needed.
class FileReader {
 public:
  // `purpose`: see files_module().
  files::Session& session(const std::string& purpose);

 private:
  std::unique_ptr<files::Session> session_;
};

// One load of any number of files.
class FileLoad {
 public:
  // Checks rights and locks the table. A superuser's load is refused where it would run another role's code.
  FileLoad(const LoadOptions& options, FileReader* reader);

  // Adds the rows of a file; says what it gave.
  Loaded add(const FileInput& file);

  // What _loaded_at says in all rows of this load; none without provenance.
  std::optional<int64_t> stamp() const { return options_.provenance ? std::optional(stamp_) : std::nullopt; }

  // Puts everything in its place. `filled` is told the number of rows when this transaction finds them in the table,
  // and readers are not locked out yet. Returns the sum, with the notes of all files.
  Loaded finish(const std::function<void(int64_t rows)>& filled);

 private:
  void choose_way();
  void make_stage();
  int64_t merge_stage() const;
  Loaded load(const FileInput& file);
  Loaded load_by_module(const FileInput& file, files::Session* session);
  Loaded load_by_copy(const FileInput& file);

  // The names of the columns that a file fills, once it is sure that they may be filled.
  std::vector<std::string> take_columns(const std::set<int>& attributes);
  std::vector<std::string> filled_else(const FileInput& file) const;
  files::LoadRequest request_for(const FileInput& file, files::Session* session, std::string* note) const;
  void add_constants(const FileInput& file, files::LoadRequest* request) const;
  void put_aside(const FileInput& file, const std::vector<files::Reject>& rejects);
  void require_share(const FileInput& file, const files::LoadResult& result) const;
  void note(const std::string& text);

  FileReader* files_;
  LoadOptions options_;
  JobReader reader_;
  const TimestampTz stamp_ = pg::now().at;
  Oid table_;
  Oid target_;  // that is filled: the table, or the temporary one of an upsert
  std::unique_ptr<pg::Replacement> replacement_;
  std::vector<pg::Column> columns_;  // of target_
  std::vector<std::string> filled_;  // those that a file has filled
  reject_store::Writer rejects_;
  std::string first_reject_;  // of the file that is being loaded
  int64_t rejected_ = 0;      // of it
  Loaded total_;
};

}  // namespace etl
