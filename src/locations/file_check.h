// Everything that can be said against a file before it is loaded.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "locations/directory.h"
#include "locations/file_type.h"
#include "locations/rules.h"

namespace etl::locations {

// What is none was not checked.
struct FileReport {
  bool exists = false;
  bool is_readable = false;
  std::optional<bool> is_accepted;  // by the rules
  std::optional<FileType> type;
  std::optional<FileFacts> facts;
  std::optional<std::vector<std::string>> columns;  // in the file's order
  std::optional<bool> header_matches;               // the expected columns
  std::optional<bool> is_utf8;                      // the whole of it, and no NUL
  std::vector<std::string> findings;                // empty: nothing is wrong
};

struct FileCheck {
  std::optional<std::vector<std::string>> expected_columns;
  int64_t now_ns = 0;

  // Reads the columns of a file that is not plain CSV; none: they are not checked.
  std::function<std::optional<std::vector<std::string>>(const File&, FileType)> read_columns;

  // Called again and again, so that somebody can end the check by throwing.
  std::function<void()> tick;
};

// Never throws for what is wrong with the file. Reads a text that is not compressed from end to end; of a file whose
// path the rules refuse, nothing.
FileReport check_file(const Directory& directory, const Rules& rules, const std::string& path, const FileCheck& check);

}  // namespace etl::locations
