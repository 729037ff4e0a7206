#include "locations/fence.h"

#include "locations/rules.h"

#include <algorithm>
#include <chrono>

#include "locations/glob.h"

namespace etl::locations {
namespace {

// Calls `test` with each leading part of a path ("a", "a/b", "a/b/c") and its last component, until it is true.
template <typename Test>
bool any_part(const std::string& path, Test&& test) {
  for (size_t begin = 0;;) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = std::string_view(path).substr(0, end);
    if (test(part, part.substr(begin))) return true;
    if (end == path.size()) return false;
    begin = end + 1;
  }
}

bool is_hidden(const std::string& path) {
  return any_part(path, [](std::string_view, std::string_view name) {
    return name.starts_with('.') || (name.starts_with('_') && name.find('=') == std::string_view::npos);
  });
}

bool is_excluded_by(const std::string& pattern, const std::string& path) {
  const bool is_for_names = pattern.find('/') == std::string::npos && pattern != "**";
  return any_part(
      path, [&](std::string_view part, std::string_view name) { return matches(pattern, is_for_names ? name : part); });
}

std::string in_seconds(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  if (ns < kSecond) return std::to_string(ns / 1'000'000) + " ms";
  return std::to_string(ns / kSecond) + " s";
}

std::optional<std::string> refusal_of_type(const Rules& rules, const std::string& path) {
  const auto type = file_type_of(path);
  if (!type) return "is of no known file type";
  if (rules.file_types.empty() || std::ranges::find(rules.file_types, *type) != rules.file_types.end())
    return std::nullopt;
  return "is of type " + name_of(*type) + ", which is not allowed";
}

}  // namespace

std::optional<std::string> refusal_of_directory(const Rules& rules, const std::string& path) {
  if (is_hidden(path)) return "is hidden: its path has a name that begins with \".\" or \"_\"";
  for (const std::string& pattern : rules.exclusions) {
    if (is_excluded_by(pattern, path)) return "is excluded by \"" + pattern + "\"";
  }
  return std::nullopt;
}

std::optional<std::string> refusal_of_path(const Rules& rules, const std::string& path) {
  if (auto reason = refusal_of_directory(rules, path)) return reason;
  if (auto reason = refusal_of_type(rules, path)) return reason;
  if (rules.name_pattern && !matches(*rules.name_pattern, std::string_view(path).substr(path.rfind('/') + 1)))
    return "has a name that does not match \"" + *rules.name_pattern + "\"";
  return std::nullopt;
}

std::optional<std::string> refusal_of_facts(const Rules& rules, FileFacts facts, int64_t now_ns) {
  if (rules.min_size && facts.size < *rules.min_size)
    return "has " + std::to_string(facts.size) + " bytes, fewer than " + std::to_string(*rules.min_size);
  if (rules.max_size && facts.size > *rules.max_size)
    return "has " + std::to_string(facts.size) + " bytes, more than " + std::to_string(*rules.max_size);
  const int64_t unchanged_for = now_ns - facts.modified_ns;
  if (rules.stable_for_ns <= 0 || unchanged_for >= rules.stable_for_ns) return std::nullopt;
  if (unchanged_for < 0) return "was modified in the future, as this machine's clock has it";
  return "was modified " + in_seconds(unchanged_for) + " ago, less than " + in_seconds(rules.stable_for_ns);
}

std::optional<std::string> refusal(const Rules& rules, const Entry& entry, int64_t now_ns) {
  if (!entry.problem.empty()) return entry.problem;
  if (auto reason = refusal_of_path(rules, entry.path)) return reason;
  return refusal_of_facts(rules, entry.facts, now_ns);
}

std::vector<Found> find_files(const Directory& directory, const Rules& rules, const std::string& pattern,
                              int64_t now_ns, Listing listing) {
  listing.leave_out = [&](const std::string& path) -> std::optional<std::string> {
    if (!may_match_beneath(pattern, path)) return "";
    return refusal_of_directory(rules, path);
  };
  std::vector<Found> result;
  for (Entry& it : directory.list(listing)) {
    if (!matches(pattern, it.path) && !(it.is_directory && may_match_beneath(pattern, it.path))) continue;
    auto reason = refusal(rules, it, now_ns);
    result.push_back({std::move(it), std::move(reason)});
  }
  return result;
}

int64_t now_ns() {
  using std::chrono::nanoseconds;
  return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace etl::locations
