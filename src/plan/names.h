// How a text becomes a layer or a job.
//
// Names may contain dots: bronze may have a job "crm.cust_info", and a schema may be called "my.raw". A text
// is therefore first taken as the entire name of a job, and only then as 'layer.job', cut at the first dot
// that has the name of a layer before it.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan/blueprint.h"

namespace etl::plan {

// Refers to the catalog's strings, so the catalog must outlive it, unchanged.
class NameIndex {
 public:
  explicit NameIndex(const Catalog& catalog);

  std::optional<int> layer(std::string_view name) const;
  std::optional<int> job(int layer, std::string_view name) const;

  // What a job of `layer` means by `text` in its depends_on: 'layer.job', else a job of its own layer. The other way
  // round anybody could hide a job of another layer behind one of his own that is called "layer.job".
  std::optional<int> dependency(int layer, std::string_view text) const;

  // `text` as 'layer.job'.
  std::optional<int> qualified(std::string_view text) const;

  // Every job called `name`, at most one for each layer, in the order of the layers.
  std::vector<int> jobs_called(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, int> layers_;
  std::vector<std::unordered_map<std::string_view, int>> jobs_;  // by layer
};

}  // namespace etl::plan
