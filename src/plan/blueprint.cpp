#include "plan/fence.h"

#include "plan/blueprint.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <queue>
#include <string_view>
#include <tuple>
#include <utility>

#include "plan/cycles.h"
#include "plan/graph.h"
#include "plan/names.h"
#include "plan/problems.h"
#include "plan/selection.h"

// Jobs go by two numbers here: `job` is the index into the catalog, `rank` the place among the jobs of the
// run when these are sorted by layer, load_order and name. Comparing ranks is comparing all three.

namespace etl::plan {
namespace {

// By job of the scope, in step with its depends_on: the job that each text names, or -1. Jobs outside the
// scope have no edges.
Graph resolve_dependencies(const Catalog& catalog, const NameIndex& names, Scope scope) {
  std::size_t count = 0;
  for (const Job& job : catalog.jobs) count += job.depends_on.size();
  Graph graph(static_cast<int>(catalog.jobs.size()), static_cast<int>(count));
  for (const Job& job : catalog.jobs) {
    graph.add_node();
    if (!scope.covers(job.layer)) continue;
    for (const std::string& text : job.depends_on) {
      graph.add_edge(names.dependency(job.layer, text).value_or(-1));
    }
  }
  return graph;
}

std::vector<int> rank_jobs(const Catalog& catalog, const std::vector<Membership>& membership) {
  std::vector<int> ranked;
  ranked.reserve(catalog.jobs.size());
  for (std::size_t job = 0; job < catalog.jobs.size(); ++job) {
    if (membership[job] != Membership::kNone) ranked.push_back(static_cast<int>(job));
  }
  const auto key = [&](int job) {
    const Job& it = catalog.jobs[job];
    return std::tuple<int, int, std::string_view>(it.layer, it.load_order, it.name);
  };
  std::sort(ranked.begin(), ranked.end(), [&](int a, int b) { return key(a) < key(b); });
  return ranked;
}

// A job of an earlier layer whose entire name is `text`, or -1: probably what its author meant.
int find_intended(const Catalog& catalog, const NameIndex& names, int layer, std::string_view text) {
  const std::vector<int> candidates = names.jobs_called(text);
  const bool is_earlier = !candidates.empty() && catalog.jobs[candidates.front()].layer < layer;
  return is_earlier ? candidates.front() : -1;
}

class Planner {
 public:
  Planner(const Catalog& catalog, const Selection& selection)
      : catalog_(catalog), selection_(selection), names_(catalog) {}

  Blueprint make() {
    if (selection_.layer) {
      const std::optional<int> layer = names_.layer(*selection_.layer);
      if (!layer) return {{}, {problem::unknown_layer(*selection_.layer)}};
      scope_ = Scope::one_layer(*layer);
    }
    dependencies_ = resolve_dependencies(catalog_, names_, scope_);
    membership_ = select_jobs(catalog_, names_, dependencies_, selection_, scope_, problems_);
    ranked_ = rank_jobs(catalog_, membership_);
    link_ranks();
    const std::vector<int> order = sort_topologically();
    if (order.size() < ranked_.size()) report_cycles();
    if (!problems_.empty()) return {steps_to_check(), std::move(problems_)};
    return {make_steps(order), {}};
  }

 private:
  // Fills parents_ with the dependencies that order the run, and reports those that cannot be.
  void link_ranks() {
    std::vector<int> rank_of(catalog_.jobs.size(), -1);
    for (std::size_t rank = 0; rank < ranked_.size(); ++rank) rank_of[ranked_[rank]] = static_cast<int>(rank);
    parents_ = Graph(static_cast<int>(ranked_.size()), dependencies_.edge_count());
    for (const int job : ranked_) {
      parents_.add_node();
      const auto dependencies = dependencies_[job];
      for (std::size_t i = 0; i < dependencies.size(); ++i) {
        const int dependency = dependencies[i];
        if (!check(job, dependency, catalog_.jobs[job].depends_on[i])) continue;
        if (rank_of[dependency] >= 0) parents_.add_edge(rank_of[dependency]);
      }
    }
  }

  // False, and a problem, if `job` can never run after `dependency`, which it calls `text`.
  bool check(int job, int dependency, std::string_view text) {
    const int layer = catalog_.jobs[job].layer;
    if (dependency < 0) {
      problems_.push_back(
          problem::unknown_dependency(catalog_, job, text, find_intended(catalog_, names_, layer, text)));
      return false;
    }
    if (dependency == job) {
      problems_.push_back(problem::depends_on_itself(catalog_, job));
      return false;
    }
    const Job& other = catalog_.jobs[dependency];
    if (other.layer > layer) {
      problems_.push_back(problem::depends_on_later_layer(catalog_, job, dependency));
      return false;
    }
    if (membership_[job] != Membership::kWithDependencies || !scope_.covers(other.layer)) return true;
    if (!other.permitted) {
      problems_.push_back(problem::depends_on_not_permitted(catalog_, job, dependency));
      return false;
    }
    if (!other.enabled) {
      problems_.push_back(problem::depends_on_disabled(catalog_, job, dependency));
      return false;
    }
    return true;
  }

  // The ranks, parents first, and otherwise in ascending order; without those in a cycle or behind one.
  // Layers stay together: parents are never of a later layer, so the lowest free rank is always of the lowest
  // layer that is not finished.
  std::vector<int> sort_topologically() const {
    const Graph children = reversed(parents_);
    std::vector<int> missing(ranked_.size());
    std::priority_queue<int, std::vector<int>, std::greater<>> free;
    for (std::size_t rank = 0; rank < ranked_.size(); ++rank) {
      missing[rank] = static_cast<int>(parents_[static_cast<int>(rank)].size());
      if (missing[rank] == 0) free.push(static_cast<int>(rank));
    }
    std::vector<int> order;
    order.reserve(ranked_.size());
    while (!free.empty()) {
      const int rank = free.top();
      free.pop();
      order.push_back(rank);
      for (const int child : children[rank]) {
        if (--missing[child] == 0) free.push(child);
      }
    }
    return order;
  }

  void report_cycles() {
    // All jobs of a cycle are of one layer, so that the order of names is the order of qualified names.
    const auto key = [&](int rank) {
      const Job& job = catalog_.jobs[ranked_[rank]];
      return std::pair<int, std::string_view>(job.layer, job.name);
    };
    for (std::vector<int>&cycle : find_cycles(parents_, [&](int a, int b) { return key(a) < key(b); })) {
      for (int& node : cycle) node = ranked_[node];
      problems_.push_back(problem::cycle(catalog_, cycle));
    }
  }

  // The jobs of a run that cannot be: other checks may still find something to say about each.
  std::vector<Step> steps_to_check() const {
    std::vector<Step> steps(ranked_.size());
    for (std::size_t rank = 0; rank < ranked_.size(); ++rank) steps[rank].job = ranked_[rank];
    return steps;
  }

  std::vector<Step> make_steps(const std::vector<int>& order) const {
    std::vector<int> step_of(ranked_.size());
    std::vector<Step> steps(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const int rank = order[i];
      step_of[rank] = static_cast<int>(i);
      Step& step = steps[i];
      step.job = ranked_[rank];
      step.follows_layer = catalog_.jobs[step.job].depends_on.empty();
      step.depends_on.reserve(parents_[rank].size());
      for (const int parent : parents_[rank]) step.depends_on.push_back(step_of[parent]);
      std::sort(step.depends_on.begin(), step.depends_on.end());
      // A job may name the same dependency twice, as 'a' and as 'silver.a'.
      step.depends_on.erase(std::unique(step.depends_on.begin(), step.depends_on.end()), step.depends_on.end());
    }
    return steps;
  }

  const Catalog& catalog_;
  const Selection& selection_;
  const NameIndex names_;
  Scope scope_ = Scope::all_layers();
  std::vector<Problem> problems_;
  Graph dependencies_;                  // by job
  std::vector<Membership> membership_;  // by job
  std::vector<int> ranked_;             // by rank: the job
  Graph parents_;                       // by rank
};

}  // namespace

Blueprint make_blueprint(const Catalog& catalog, const Selection& selection) {
  return Planner(catalog, selection).make();
}

std::string qualified_name(const Catalog& catalog, const Job& job) {
  return catalog.layers[job.layer].name + "." + job.name;
}

}  // namespace etl::plan
