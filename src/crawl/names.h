// Names of tables and columns, from names in files.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace etl::crawl {

// A name that needs no quotes in most cases: letters are folded to lower case (Latin, Greek, Cyrillic; others have no
// case, or stay as they are), letters and digits of any script stay, everything else becomes an underscore, several in
// a row one, at the ends none. What begins with a digit gets an underscore before it. At most 63 bytes. May be empty.
// Words that SQL reserves stay: they are quoted where SQL is written.
std::string folded_name(std::string_view name);

// Hands out names that differ: a name that is taken gets _2, _3 and so on, cut so that it stays within 63 bytes.
class UniqueNames {
 public:
  void reserve(const std::string& name) { taken_.insert(name); }
  std::string take(const std::string& name);

 private:
  std::set<std::string> taken_;
};

// The table's columns for a file's: folded and unique, "column0" and so on where nothing is left of a name. Names of
// system columns (ctid, xmin and so on) get an underscore behind; those in `reserved` are not given.
std::vector<std::string> column_names_for(const std::vector<std::string>& file_columns,
                                          const std::vector<std::string>& reserved);

}  // namespace etl::crawl
