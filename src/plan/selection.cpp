#include "plan/fence.h"

#include "plan/selection.h"

#include <string>
#include <utility>

#include "plan/problems.h"

namespace etl::plan {
namespace {

class Selector {
 public:
  Selector(const Catalog& catalog, const NameIndex& names, Scope scope, std::vector<Problem>& problems)
      : catalog_(catalog),
        names_(names),
        scope_(scope),
        problems_(problems),
        membership_(catalog.jobs.size(), Membership::kNone) {}

  void take_all() {
    for (std::size_t job = 0; job < catalog_.jobs.size(); ++job) {
      if (may_join(static_cast<int>(job))) membership_[job] = Membership::kWithDependencies;
    }
  }

  void take_named(const std::vector<std::string>& texts, Membership as) {
    for (const std::string& text : texts) {
      const std::optional<int> job = resolve(text);
      if (!job) continue;
      membership_[*job] = as;
      named_.push_back(*job);
    }
  }

  // Takes whatever can be reached from the named jobs along `edges`.
  void widen(const Graph& edges, Membership as) {
    std::vector<char> seen(catalog_.jobs.size(), false);
    std::vector<int> queue = named_;
    for (const int job : named_) seen[job] = true;
    for (std::size_t i = 0; i < queue.size(); ++i) {
      for (const int next : edges[queue[i]]) {
        if (next < 0 || seen[next] || !may_join(next)) continue;
        seen[next] = true;
        queue.push_back(next);
        if (membership_[next] == Membership::kNone) membership_[next] = as;
      }
    }
  }

  std::vector<Membership> result() && { return std::move(membership_); }

 private:
  bool may_join(int job) const {
    const Job& candidate = catalog_.jobs[job];
    return candidate.enabled && candidate.permitted && scope_.covers(candidate.layer);
  }

  // The job that `text` names, or none and a problem.
  std::optional<int> resolve(std::string_view text) {
    const std::optional<int> job = find(text);
    if (!job) return std::nullopt;
    // Who may not run a job is not told to enable it.
    if (!catalog_.jobs[*job].permitted) {
      problems_.push_back(problem::job_not_permitted(catalog_, *job));
      return std::nullopt;
    }
    if (!catalog_.jobs[*job].enabled) {
      problems_.push_back(problem::job_is_disabled(catalog_, *job));
      return std::nullopt;
    }
    return job;
  }

  std::optional<int> find(std::string_view text) {
    std::vector<int> in_scope;
    int elsewhere = -1;
    for (const int job : names_.jobs_called(text)) {
      if (scope_.covers(catalog_.jobs[job].layer)) {
        in_scope.push_back(job);
      } else {
        elsewhere = job;
      }
    }
    if (in_scope.size() == 1) return in_scope.front();
    if (in_scope.size() > 1) {
      problems_.push_back(problem::job_in_several_layers(catalog_, in_scope));
      return std::nullopt;
    }
    const std::optional<int> job = names_.qualified(text);
    if (!job) {
      problems_.push_back(problem::unknown_job(catalog_, text, elsewhere));
      return std::nullopt;
    }
    if (!scope_.covers(catalog_.jobs[*job].layer)) {
      problems_.push_back(problem::job_outside_layer(catalog_, *job, scope_.only_layer()));
      return std::nullopt;
    }
    return job;
  }

  const Catalog& catalog_;
  const NameIndex& names_;
  const Scope scope_;
  std::vector<Problem>& problems_;
  std::vector<Membership> membership_;
  std::vector<int> named_;
};

}  // namespace

std::vector<Membership> select_jobs(const Catalog& catalog, const NameIndex& names, const Graph& dependencies,
                                    const Selection& selection, Scope scope, std::vector<Problem>& problems) {
  Selector selector(catalog, names, scope, problems);
  if (!selection.jobs) {
    selector.take_all();
    return std::move(selector).result();
  }
  selector.take_named(*selection.jobs, selection.upstream ? Membership::kWithDependencies : Membership::kAlone);
  // What others depend on is wanted of the named jobs only, so widening upstream comes first.
  if (selection.upstream) selector.widen(dependencies, Membership::kWithDependencies);
  if (selection.downstream) selector.widen(reversed(dependencies), Membership::kAlone);
  return std::move(selector).result();
}

}  // namespace etl::plan
