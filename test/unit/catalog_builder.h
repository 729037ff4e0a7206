// Short spelling of catalogs and of what a blueprint makes of them, for tests.
#pragma once

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/blueprint.h"

namespace etl::plan {

class CatalogBuilder {
 public:
  explicit CatalogBuilder(const std::vector<std::string>& layers = {"bronze", "silver", "gold"}) {
    for (const std::string& name : layers) catalog.layers.push_back({.name = name});
  }

  // Adds a job and returns it, for what is not said here: job("silver", "a").enabled = false.
  // The reference holds until the next call.
  Job& job(std::string_view layer, std::string name, std::vector<std::string> depends_on = {}) {
    const auto found = std::find_if(catalog.layers.begin(), catalog.layers.end(),
                                    [&](const Layer& candidate) { return candidate.name == layer; });
    assert(found != catalog.layers.end());
    Job& added = catalog.jobs.emplace_back();
    added.layer = static_cast<int>(found - catalog.layers.begin());
    added.name = std::move(name);
    added.depends_on = std::move(depends_on);
    return added;
  }

  Blueprint blueprint(const Selection& selection = {}) const { return make_blueprint(catalog, selection); }

  // The jobs of the run in its order, by qualified name; empty if there are problems.
  std::vector<std::string> run_of(const Selection& selection = {}) const {
    std::vector<std::string> names;
    for (const Step& step : blueprint(selection).steps) names.push_back(name_of(step));
    return names;
  }

  std::vector<std::string> messages_of(const Selection& selection = {}) const {
    std::vector<std::string> messages;
    for (const Problem& problem : blueprint(selection).problems) messages.push_back(problem.message);
    return messages;
  }

  // "job after dependency, dependency" for each step that waits for another.
  std::vector<std::string> edges_of(const Selection& selection = {}) const {
    std::vector<std::string> edges;
    const Blueprint made = blueprint(selection);
    for (const Step& step : made.steps) {
      if (step.depends_on.empty()) continue;
      std::string edge = name_of(step) + " after";
      for (const int parent : step.depends_on) {
        edge += (parent == step.depends_on.front() ? " " : ", ") + name_of(made.steps[parent]);
      }
      edges.push_back(edge);
    }
    return edges;
  }

  Catalog catalog;

 private:
  std::string name_of(const Step& step) const { return qualified_name(catalog, catalog.jobs[step.job]); }
};

using Names = std::vector<std::string>;

}  // namespace etl::plan
