#include "crawl/fence.h"

#include "crawl/data_sets.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "crawl/column_types.h"
#include "crawl/names.h"
#include "locations/glob.h"
#include "locations/partitions.h"

namespace etl::crawl {

namespace {

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string extension_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1).substr(locations::stem_of(path).size());
}

// The folders of a path that are partitions, as the names of their columns stand there.
std::vector<std::string> partition_names(const std::string& path) {
  std::vector<std::string> names;
  std::string rest = directory_of(path).substr(locations::directory_above_partitions(path).size());
  while (!rest.empty()) {
    if (rest.starts_with('/')) rest.erase(0, 1);
    const std::string folder = rest.substr(0, rest.find('/'));
    names.push_back(folder.substr(0, folder.find('=')));
    rest.erase(0, folder.size());
  }
  return names;
}

DataSet single(const std::string& path) {
  DataSet set;
  set.name = path;
  set.pattern = pattern_of_path(path);
  set.type = *locations::file_type_of(path);
  set.files = {path};
  return set;
}

// A set of an earlier crawl with the first of its files.
DataSet known_set(const std::string& pattern, const std::string& path) {
  DataSet set = single(path);
  set.is_known = true;
  set.pattern = pattern;
  if (pattern == pattern_of_path(path)) return set;
  set.partitions = partition_names(path);
  set.kind = set.partitions.empty() ? DataSet::Kind::kFolder : DataSet::Kind::kPartitions;
  set.name = locations::directory_above_partitions(path);
  return set;
}

// Whether a pattern is what pattern_of_path() gives.
bool is_of_one_path(const std::string& pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[')
      return false;
  }
  return true;
}

class Grouping {
 public:
  explicit Grouping(const std::vector<std::string>& known) {
    for (const std::string& pattern : known)
      if (is_of_one_path(pattern)) {
        known_paths_.insert(pattern);
      } else {
        known_folders_.push_back(pattern);
      }
  }

  void add(const std::string& path) {
    if (!locations::file_type_of(path)) return;
    const std::optional<std::string> pattern = known_pattern(path);
    if (!pattern) {
      fresh_.push_back(path);
      return;
    }
    const auto [set, is_new] = found_.try_emplace(*pattern);
    if (is_new) {
      set->second = known_set(*pattern, path);
      if (set->second.kind == DataSet::Kind::kFile) alone_.insert({directory_of(path), extension_of(path)});
    } else {
      set->second.files.push_back(path);
    }
  }

  std::vector<DataSet> sets() {
    group_fresh();
    std::vector<DataSet> result;
    for (auto& [pattern, set] : found_) result.push_back(std::move(set));
    std::ranges::sort(result, [](const DataSet& one, const DataSet& other) {
      return std::tie(one.name, one.pattern) < std::tie(other.name, other.pattern);
    });
    return result;
  }

 private:
  // A file's own pattern goes before those of folders.
  std::optional<std::string> known_pattern(const std::string& path) const {
    std::string own = pattern_of_path(path);
    if (known_paths_.contains(own)) return own;
    const auto folder = std::ranges::find_if(
        known_folders_, [&](const std::string& pattern) { return locations::matches(pattern, path); });
    return folder == known_folders_.end() ? std::nullopt : std::optional(*folder);
  }

  void group_fresh() {
    std::map<std::string, std::vector<std::string>> groups;  // by pattern
    for (const std::string& path : fresh_) groups[folder_pattern(path)].push_back(path);
    for (auto& [pattern, files] : groups) {
      const std::string& first = files.front();
      const bool partitioned = !partition_names(first).empty();
      if (!partitioned && (files.size() == 1 || alone_.contains({directory_of(first), extension_of(first)}))) {
        for (const std::string& file : files) found_[pattern_of_path(file)] = single(file);
        continue;
      }
      DataSet set = single(first);
      set.kind = partitioned ? DataSet::Kind::kPartitions : DataSet::Kind::kFolder;
      set.name = locations::directory_above_partitions(first);
      set.pattern = pattern;
      set.partitions = partition_names(first);
      set.files = std::move(files);
      found_[pattern] = std::move(set);
    }
  }

  // What matches all files like this one: of its directory or partitions, and of its extension.
  static std::string folder_pattern(const std::string& path) {
    std::string pattern = pattern_of_path(locations::directory_above_partitions(path));
    for (const std::string& name : partition_names(path)) pattern = joined(pattern, pattern_of_path(name) + "=*");
    return joined(pattern, "*" + extension_of(path));
  }

  std::set<std::string> known_paths_;  // as patterns
  std::vector<std::string> known_folders_;
  std::map<std::string, DataSet> found_;  // by pattern
  std::vector<std::string> fresh_;
  std::set<std::pair<std::string, std::string>> alone_;  // directory and extension of files that are sets
};

}  // namespace

std::vector<DataSet> group_files(const std::vector<std::string>& files, const std::vector<std::string>& known) {
  Grouping grouping(known);
  for (const std::string& file : files) grouping.add(file);
  return grouping.sets();
}

std::vector<DataSet> split(const DataSet& folder) {
  std::vector<DataSet> sets;
  for (const std::string& file : folder.files) sets.push_back(single(file));
  return sets;
}

std::string pattern_of_path(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::string table_name_of(const DataSet& set, const std::string& root, const std::string& prefix,
                          const std::string& fallback) {
  std::string name = set.name;
  if (set.kind == DataSet::Kind::kFile) name = joined(directory_of(name), locations::stem_of(name));
  if (!root.empty() && (name == root || name.starts_with(root + "/"))) name.erase(0, root.size());
  if (name.starts_with('/')) name.erase(0, 1);
  if (name.empty()) name = fallback;
  const std::string folded = folded_name(prefix + name);
  return folded.empty() ? "data" : folded;
}

std::string partition_type(const std::vector<std::string>& values) {
  std::vector<Evidence> evidence(1);
  for (std::string value : values) {
    if (value.size() == 2 && value[0] == '0' && value[1] >= '0' && value[1] <= '9') value.erase(0, 1);
    evidence[0].add(value);
  }
  files::ReaderOptions options;
  const std::string type = decide_types({""}, evidence, &options)[0].type;
  return options.date_format || options.timestamp_format ? "text" : type;
}

}  // namespace etl::crawl
