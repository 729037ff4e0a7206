// Which jobs of the catalog a run consists of.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/blueprint.h"
#include "plan/graph.h"
#include "plan/names.h"

namespace etl::plan {

// The layers that a run covers.
class Scope {
 public:
  static Scope all_layers() { return Scope(-1); }
  static Scope one_layer(int layer) { return Scope(layer); }
  bool covers(int layer) const { return layer_ < 0 || layer_ == layer; }
  int only_layer() const { return layer_; }  // -1: all

 private:
  explicit Scope(int layer) : layer_(layer) {}
  int layer_;
};

// What a job has to do with the run.
enum class Membership : std::uint8_t {
  kNone,
  kAlone,            // part of it; a dependency that the selection leaves out counts as met
  kWithDependencies  // part of it, and so is what it depends on: a dependency that cannot run is a problem
};

// By job: whether the selection takes it. `dependencies` holds, for the jobs of the scope, the resolved
// depends_on. Problems of the names in `selection.jobs` are appended to `problems`, in their order.
std::vector<Membership> select_jobs(const Catalog& catalog, const NameIndex& names, const Graph& dependencies,
                                    const Selection& selection, Scope scope, std::vector<Problem>& problems);

}  // namespace etl::plan
