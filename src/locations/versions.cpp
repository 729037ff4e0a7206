#include "locations/fence.h"

#include "locations/versions.h"

#include <set>

namespace etl::locations {

std::optional<Known> MovedVersions::take(const Version& file) {
  const auto [found, is_new] = candidates_.try_emplace(file.hash);
  std::deque<Known>& candidates = found->second;
  if (is_new)
    for (Known& same : find_same_(file)) candidates.push_back(std::move(same));
  while (!candidates.empty()) {
    Known candidate = std::move(candidates.front());
    candidates.pop_front();
    if (is_gone_(candidate.version)) return candidate;
  }
  return std::nullopt;
}

std::vector<Known> displaced(const std::vector<Move>& moves, std::vector<Known> at_new_paths) {
  std::set<int64_t> moved;
  for (const Move& move : moves) moved.insert(move.from.id);
  std::erase_if(at_new_paths, [&](const Known& known) { return moved.contains(known.id); });
  return at_new_paths;
}

}  // namespace etl::locations
