#include "plan/fence.h"

#include "plan/names.h"

#include <cassert>

namespace etl::plan {
namespace {

std::optional<int> find_in(const std::unordered_map<std::string_view, int>& map, std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

NameIndex::NameIndex(const Catalog& catalog) : jobs_(catalog.layers.size()) {
  for (std::size_t i = 0; i < catalog.layers.size(); ++i) layers_.emplace(catalog.layers[i].name, i);
  std::vector<std::size_t> sizes(catalog.layers.size());
  for (const Job& job : catalog.jobs) {
    assert(job.layer >= 0 && job.layer < static_cast<int>(catalog.layers.size()));
    ++sizes[job.layer];
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) jobs_[i].reserve(sizes[i]);
  for (std::size_t i = 0; i < catalog.jobs.size(); ++i) {
    [[maybe_unused]] const bool is_new = jobs_[catalog.jobs[i].layer].emplace(catalog.jobs[i].name, i).second;
    assert(is_new);
  }
}

std::optional<int> NameIndex::layer(std::string_view name) const {
  return find_in(layers_, name);
}

std::optional<int> NameIndex::job(int layer, std::string_view name) const {
  return find_in(jobs_[layer], name);
}

std::optional<int> NameIndex::dependency(int layer, std::string_view text) const {
  if (const auto elsewhere = qualified(text)) return elsewhere;
  return job(layer, text);
}

std::optional<int> NameIndex::qualified(std::string_view text) const {
  for (auto dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
    if (const auto found = layer(text.substr(0, dot))) return job(*found, text.substr(dot + 1));
  }
  return std::nullopt;
}

std::vector<int> NameIndex::jobs_called(std::string_view name) const {
  std::vector<int> result;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (const auto found = job(static_cast<int>(i), name)) result.push_back(*found);
  }
  return result;
}

}  // namespace etl::plan
